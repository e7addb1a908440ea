#!/usr/bin/env node
// What passes through leaves nothing behind: memory, descriptors, threads and the log after much use are as after some.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { runSuite } from './lib/check.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { Daemon, newFolder, PROGRAM } from './lib/process.mjs';
import { Raw } from './lib/raw.mjs';
import { Socket } from './lib/socket.mjs';
import { mapWide, until } from './lib/wait.mjs';

const COMMITS = 20_000;
const CONNECTIONS = 2_000;
const SLACK = (8 << 20) * Number(process.env.ENC_PATIENCE ?? 1); /* sanitizers keep what is freed */
const LOAD = path.join(path.dirname(PROGRAM), 'load');
/* The generator ends with all it holds, and it is not what is tested. */
const LOAD_ENV = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' };

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { client } = daemon;
  const { pid } = daemon.child;
  const port = new URL(daemon.url).port;
  const enclave = await Enclave.create(client, wall);

  const status = (name) => Number(fs.readFileSync(`/proc/${pid}/status`, 'utf8')
    .match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]);
  const memory = () => status('RssAnon') * 1024; /* the store's pages are the kernel's cache */
  const descriptors = () => fs.readdirSync(`/proc/${pid}/fd`).length;
  const gauge = async (name) => {
    const { text } = await request('GET', daemon.admin, '/metrics');
    return Number(text.match(new RegExp(`^${name} (\\d+)$`, 'm'))[1]);
  };

  async function generate(...words) {
    const { stdout } = await promisify(execFile)(LOAD, words.map(String), { env: LOAD_ENV });
    return JSON.parse(stdout);
  }
  async function send(wire, file, count) {
    const { accepted } = await generate('send', '--wire', wire, '--host', '127.0.0.1', '--port', port,
      '--pid', pid, '--file', file, '--in_flight', 64, '--connections', 1);
    assert.equal(accepted, count);
  }
  let seed = 0;
  async function load(wire, enclaves, commits) {
    const dir = newFolder();
    seed += 1;
    await generate('sign', '--dir', dir, '--count', commits, '--enclaves', enclaves,
      '--bundle', 256, '--seed', `wear${seed}`, '--first', 0);
    await send(wire, path.join(dir, 'manifests.txt'), enclaves);
    await send(wire, path.join(dir, 'commits.txt'), commits);
  }

  /* One of the ways in which clients come and go. */
  const VISITS = [
    async () => {
      const raw = await Raw.open(daemon.url);
      raw.write('GET /info/node HTTP/1.1\r\nHost: t\r\n\r\n');
      await raw.whenText(/seq_pub/);
      raw.end();
    },
    async () => (await Raw.open(daemon.url)).end(),
    async () => (await Raw.open(daemon.url))
      .write('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf').end(),
    async () => (await Raw.open(daemon.url))
      .write(`GET /enclave/${enclave.id}/sth HTTP/1.1\r\nHost: t\r\n\r\n`).socket.resetAndDestroy(),
    async () => (await Raw.open(daemon.url)).write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').end(),
    async () => {
      const socket = await Socket.open(client);
      await socket.query('s', enclave.id, {}).stored();
      socket.terminate();
    },
    async () => (await Socket.open(client)).close(),
  ];

  await check(`${COMMITS} commits: memory stays as it was`, async () => {
    await load('ws', 16, COMMITS / 4);
    await load('h2', 1, COMMITS / 4);
    const [before, threads] = [memory(), status('Threads')];
    await load('ws', 16, COMMITS / 2);
    await load('h2', 1, COMMITS / 2);
    assert.ok(memory() < before + SLACK, `${before} bytes before, ${memory()} after`);
    assert.equal(status('Threads'), threads);
  }, 120_000);
  await check(`${CONNECTIONS} connections of all kinds: every descriptor comes back`, async () => {
    await mapWide(VISITS, VISITS.length, (visit) => visit());
    await until(async () => await gauge('enclaved_connections_open') <= 2, 'the first to end');
    const [before, held] = [descriptors(), memory()];
    const visits = Array.from({ length: CONNECTIONS }, (_, i) => VISITS[i % VISITS.length]);
    await mapWide(visits, 32, (visit) => visit());
    await until(() => descriptors() <= before + 2, `descriptors to be closed, ${before} before`);
    assert.equal(await gauge('enclaved_websockets_open'), 0);
    assert.equal(await gauge('enclaved_http_requests_open'), 0);
    assert.ok(memory() < held + SLACK, `${held} bytes before, ${memory()} after`);
  }, 120_000);
  await check('the log has nothing to say about any of it', () =>
    assert.deepEqual(daemon.lines.map((line) => line.msg), ['listening', 'listening']));
  assert.equal((await daemon.stop()).code, 0);
});
