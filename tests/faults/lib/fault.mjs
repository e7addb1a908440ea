// A daemon below libfault.so (../fault.c), and orders to it: which call fails, waits or lies, from now on.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CODES } from '../../wire/lib/errors.mjs';
import { request } from '../../wire/lib/http.mjs';
import { Daemon, PROGRAM, newFolder } from '../../wire/lib/process.mjs';
import { until } from '../../wire/lib/wait.mjs';

const LIBRARY = path.join(path.dirname(PROGRAM), 'libfault.so');
const CALLS = ['sync', 'write', 'accept', 'socket', 'lookup', 'chunk', 'clock'];
const ROW_LEN = 128;
const { errno } = os.constants;
const ERRORS = { ...errno, ENFILE: 23, EAI_AGAIN: -3, EAI_NONAME: -2 };

/** Why nothing here can run in this build, or null. */
export const missing = fs.existsSync(LIBRARY) ? null : 'this build has no libfault.so';

export class Faults {
  constructor() {
    this.file = path.join(newFolder(), 'faults');
    fs.writeFileSync(this.file, Buffer.alloc(CALLS.length * ROW_LEN));
    this.fd = fs.openSync(this.file, 'r+');
  }

  /* A sanitizer would rather be the first library; then it would not see what we hand on. */
  get env() {
    const asan = `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`;
    return { FAULTS: this.file, LD_PRELOAD: LIBRARY, ASAN_OPTIONS: asan };
  }

  #write(call, row) {
    fs.writeSync(this.fd, row, 0, row.length, CALLS.indexOf(call) * ROW_LEN);
  }

  /** From now on; error by name, count -1 is all, value as the call understands it. */
  arm(call, { error, skip = 0, count = -1, delay = 0, value = 0, only = '' }) {
    assert.ok(CALLS.includes(call) && (error === undefined || error in ERRORS), `${call} ${error}`);
    const row = Buffer.alloc(ROW_LEN);
    row.writeInt32LE(error === undefined ? 0 : ERRORS[error], 4);
    row.writeBigInt64LE(BigInt(skip), 8);
    row.writeBigInt64LE(BigInt(count), 16);
    row.writeBigUInt64LE(BigInt(delay), 24);
    row.writeBigInt64LE(BigInt(value), 32);
    row.write(only, 48);
    this.#write(call, row);
    row.writeUInt32LE(1, 0);
    this.#write(call, row.subarray(0, 4));
  }

  /** The cause is gone. */
  disarm(call) {
    this.#write(call, Buffer.alloc(4));
  }

  /** Calls that were touched since arm. */
  hits(call) {
    const row = Buffer.alloc(ROW_LEN);
    fs.readSync(this.fd, row, 0, ROW_LEN, CALLS.indexOf(call) * ROW_LEN);
    return Number(row.readBigUInt64LE(40));
  }

  /** CLOCK_REALTIME of the daemon is so many ms ahead of ours. */
  shiftClock(ms) {
    if (ms === 0) this.disarm('clock');
    else this.arm('clock', { value: ms });
  }

  start({ env = {}, ...more } = {}) {
    return Daemon.start({ ...more, env: { ...env, ...this.env } });
  }
}

/** What a process holds, from /proc. */
export class Process {
  constructor(daemon) {
    this.daemon = daemon;
  }

  #status(name) {
    const text = fs.readFileSync(`/proc/${this.daemon.child.pid}/status`, 'utf8');
    return Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]);
  }

  /** Bytes of its own; the store's pages are the kernel's cache. */
  get memory() {
    return this.#status('RssAnon') * 1024;
  }

  get threads() {
    return this.#status('Threads');
  }

  get descriptors() {
    return fs.readdirSync(`/proc/${this.daemon.child.pid}/fd`).length;
  }

  /** Seconds of processor that it has used. */
  get seconds() {
    const text = fs.readFileSync(`/proc/${this.daemon.child.pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** body's result, and how many bytes more than before there were at most while it ran. */
  async peak(body) {
    const before = this.memory;
    let most = before;
    const timer = setInterval(() => (most = Math.max(most, this.memory)), 10);
    const result = await body().finally(() => clearInterval(timer));
    return { result, grown: Math.max(most, this.memory) - before };
  }
}

/** Every answer is a receipt or one of these errors of the closed list; the receipts. */
export function sort(answers, ...codes) {
  const good = answers.filter((answer) => answer.status === 200);
  const bad = answers.filter((answer) => answer.status !== 200);
  for (const { json, status, text } of bad) {
    assert.ok(CODES.includes(json?.code) && codes.includes(json.code), `${status} ${text?.slice(0, 300)}`);
  }
  return { receipts: good.map((answer) => answer.json), bad };
}

export const ready = async (daemon) => (await request('GET', daemon.admin, '/readyz')).json;

/** Commits are accepted again, without anybody's help. */
export async function untilServes(enclave, timeout = 10_000) {
  const answer = await until(async () => {
    const got = await enclave.tryAdd(enclave.owner, 'Post', 'again').catch(() => null);
    return got?.status === 200 && got;
  }, 'service to return', timeout);
  return answer.json;
}

export const mib = (bytes) => `${(bytes / 1048576).toFixed(1)} MiB`;
