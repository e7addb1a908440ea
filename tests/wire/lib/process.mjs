// Starting, stopping and killing the daemon; every child dies with the test.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from './client.mjs';

const REPO = fileURLToPath(new URL('../../..', import.meta.url));
const BUILD = process.env.ENC_BUILD ?? path.join(REPO, 'build', 'dev');
export const PROGRAM = process.env.ENCLAVED ?? path.join(BUILD, 'enclaved');
const START_MS = 20_000;

const children = new Set();
const folders = new Set();

process.on('exit', () => {
  children.forEach((child) => child.kill('SIGKILL'));
  folders.forEach((folder) => fs.rmSync(folder, { recursive: true, force: true }));
});

export function newFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'enclaved-'));
  folders.add(folder);
  return folder;
}

function parseLine(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { msg: line };
  }
}

export class Daemon {
  lines = []; /* of stderr, parsed; all runs */

  constructor({ data = newFolder(), args = [], env = {}, program = PROGRAM } = {}) {
    this.data = data;
    this.program = program;
    this.args = ['--data', data, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...args];
    this.env = env;
  }

  /** A running daemon with a client of it as daemon.client. */
  static async start(options) {
    const daemon = new Daemon(options);
    await daemon.start();
    return daemon;
  }

  async start() {
    this.#spawn();
    const [url, admin] = await this.#listening();
    this.url = `http://${url}`;
    this.admin = `http://${admin}`;
    this.client = await Client.of(this.url);
    return this.client;
  }

  #spawn() {
    const env = { ...process.env, ...this.env };
    this.child = spawn(this.program, this.args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    children.add(this.child);
    this.exited = new Promise((resolve) => {
      this.child.on('error', (error) => resolve({ error }));
      this.child.on('exit', (code, signal) => resolve({ code, signal }));
    });
    this.exited.then(() => children.delete(this.child));
    this.#readLines(this.child);
  }

  #readLines(child) {
    this.lines = [];
    let rest = '';
    child.stderr.on('data', (chunk) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop();
      this.lines.push(...parts.filter(Boolean).map(parseLine));
    });
  }

  #address(listener) {
    return this.lines.find((line) => line.msg === 'listening' && line.listener === listener)
      ?.address;
  }

  async #listening() {
    let gone = null;
    this.exited.then((how) => (gone = how));
    const end = Date.now() + START_MS;
    while (!(this.#address('public') && this.#address('admin'))) {
      if (gone) throw new Error(`${this.program} did not start: ${this.#why(gone)}`);
      if (Date.now() > end) throw new Error(`${this.program} does not listen: ${this.#why({})}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return [this.#address('public'), this.#address('admin')];
  }

  #why(gone) {
    return `${gone.error ?? JSON.stringify(gone)} ${JSON.stringify(this.lines.slice(-3))}`;
  }

  signal(name) {
    this.child.kill(name);
    return this.exited;
  }

  /** SIGTERM; { code, signal }. */
  stop = () => this.signal('SIGTERM');

  kill = () => this.signal('SIGKILL');

  async restart(signal = 'SIGTERM') {
    await this.signal(signal);
    return this.start();
  }
}
