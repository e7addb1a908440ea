#!/usr/bin/env node
// Rolling restarts: a successor takes the listeners over, no request fails, and never two sequencers on one store (server.md).

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import { runSuite } from './lib/check.mjs';
import { Client } from './lib/client.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { Daemon, PROGRAM, newFolder } from './lib/process.mjs';
import { Socket } from './lib/socket.mjs';
import { sleep, until } from './lib/wait.mjs';

const ROUNDS = 3;
const LANES = 4;

const alive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const said = (daemon, msg) => daemon.lines.filter((line) => line.msg === msg);

/** SIGUSR2 to the newest process of a daemon; the successor's pid once the predecessor has ended and it listens. */
async function handOver(daemon, pid) {
  const before = said(daemon, 'successor started').length;
  const listening = said(daemon, 'listening').length;
  process.kill(pid, 'SIGUSR2');
  const line = await until(() => said(daemon, 'successor started')[before], 'a successor');
  await until(() => said(daemon, 'listening').length >= listening + 2, 'the successor to listen', 20_000);
  return line.pid;
}

/** End the last process of a chain, which is not our child any more. */
async function end(pid) {
  process.kill(pid, 'SIGTERM');
  await until(() => !alive(pid), 'the last successor to end');
}

/** POST over one HTTP/2 connection, a new one after GOAWAY. */
class OverH2 {
  constructor(url) {
    this.url = url;
  }

  #session() {
    if (!this.session || this.session.closed || this.session.destroyed || this.gone) {
      this.session = http2.connect(this.url);
      this.gone = false;
      this.session.on('goaway', () => (this.gone = true));
      this.session.on('error', () => (this.gone = true));
    }
    return this.session;
  }

  /** A request that the connection refused was not looked at (RFC 9113, 8.7): clients send it again. */
  async post(body) {
    for (;;) {
      try {
        return await this.#postOnce(body);
      } catch (error) {
        if (!/REFUSED_STREAM/.test(error.message)) throw error;
        this.gone = true;
      }
    }
  }

  #postOnce(body) {
    return new Promise((resolve, reject) => {
      const stream = this.#session().request({ ':path': '/', ':method': 'POST' });
      const chunks = [];
      let status;
      stream.on('response', (head) => (status = head[':status']));
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () => resolve({ status, text: Buffer.concat(chunks).toString() }));
      stream.end(body);
    });
  }

  close = () => this.session?.destroy();
}

/** POST over HTTP/1.1, with or without keep-alive. */
class OverH1 {
  constructor(url, keepAlive) {
    const { hostname, port } = new URL(url);
    this.to = { method: 'POST', hostname, port, path: '/', agent: new http.Agent({ keepAlive, maxSockets: 1 }) };
  }

  post(body) {
    return new Promise((resolve, reject) => {
      const call = http.request({ ...this.to, headers: { 'content-length': Buffer.byteLength(body) } });
      call.on('response', (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }));
      });
      call.on('error', reject);
      call.end(body);
    });
  }

  close = () => this.to.agent.destroy();
}

/** Commits in a closed loop until stopped; receipts and whatever else came. */
async function load(clients, enclave, state) {
  const lane = async (client) => {
    while (!state.stop) {
      const commit = enclave.make(enclave.owner, 'Post', 'x');
      try {
        const { status, text } = await client.post(JSON.stringify(commit));
        if (status === 200) state.receipts.push(JSON.parse(text));
        else state.failures.push(`${status} ${text}`);
      } catch (error) {
        state.failures.push(`${error.code} ${error.message}`);
      }
    }
    client.close();
  };
  await Promise.all(clients.map(lane));
}

await runSuite(async ({ check }) => {
  await check(`${ROUNDS} rolling restarts under load: no request fails, no seq is given twice`, async () => {
    const daemon = await Daemon.start();
    const enclave = await Enclave.create(daemon.client, wall);
    const clients = Array.from({ length: LANES }, () =>
      [new OverH2(daemon.url), new OverH1(daemon.url, true), new OverH1(daemon.url, false)]).flat();
    const state = { receipts: [], failures: [], stop: false };
    const running = load(clients, enclave, state);
    let pid = daemon.child.pid;
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(300);
      const before = state.receipts.length;
      pid = await handOver(daemon, pid);
      await until(() => state.receipts.length > before + 100, 'receipts of the successor');
    }
    state.stop = true;
    await running;
    assert.deepEqual(state.failures, []);
    const seqs = state.receipts.map((receipt) => receipt.seq).sort((a, b) => a - b);
    assert.equal(new Set(seqs).size, seqs.length, 'a seq was given twice');
    const client = await Client.of(daemon.url);
    const stored = await client.queryAll(enclave.id, { type: 'Post', limit: 1000 });
    assert.deepEqual(stored.map(({ event }) => event.seq).sort((a, b) => a - b), seqs, 'the log is what the receipts say');
    const turns = daemon.lines.map((line) => line.msg).filter((msg) => ['listening', 'stopped'].includes(msg));
    assert.deepEqual(turns, Array(ROUNDS + 1).fill(['listening', 'listening', 'stopped']).flat().slice(0, -1),
      'a successor listens only after its predecessor has stopped');
    await end(pid);
  }, 60_000);
  await check('a successor whose configuration is broken changes nothing', async () => {
    const file = path.join(newFolder(), 'enclaved.yaml');
    fs.writeFileSync(file, 'log_level: info\n');
    const daemon = await Daemon.start({ args: ['--config', file] });
    fs.writeFileSync(file, 'shards: many\n');
    daemon.child.kill('SIGUSR2');
    await until(() => said(daemon, 'the successor did not start; serving on').length, 'it to be said');
    const enclave = await Enclave.create(daemon.client, wall);
    await enclave.add(enclave.owner, 'Post', 'still here');
    fs.writeFileSync(file, 'log_level: info\n');
    const pid = await handOver(daemon, daemon.child.pid);
    await enclave.add(enclave.owner, 'Post', 'and now there');
    await end(pid);
  });
  await check('a WebSocket is told, and finds its enclave again', async () => {
    const daemon = await Daemon.start();
    const enclave = await Enclave.create(daemon.client, wall);
    const socket = await Socket.open(daemon.client);
    const sub = socket.query('a', enclave.id, {});
    await sub.stored();
    const pid = await handOver(daemon, daemon.child.pid);
    await socket.whenClosed();
    assert.equal(socket.closed.code, 1001);
    assert.deepEqual(sub.frames.map((frame) => frame.reason).filter(Boolean), ['shutdown']);
    const again = await Socket.open(await Client.of(daemon.url));
    const receipt = await enclave.add(enclave.owner, 'Post', 'x');
    const stored = again.query('b', enclave.id, {});
    await stored.stored();
    assert.equal(receipt.seq, 1);
    await end(pid);
  });
  await check('SIGUSR2 twice starts one successor; SIGTERM while it starts ends the predecessor', async () => {
    const daemon = await Daemon.start();
    daemon.child.kill('SIGUSR2');
    daemon.child.kill('SIGUSR2');
    const { pid } = await until(() => said(daemon, 'successor started')[0], 'a successor');
    daemon.child.kill('SIGTERM');
    assert.deepEqual(await daemon.exited, { code: 0, signal: null });
    await until(() => said(daemon, 'listening').length === 4, 'the successor');
    assert.equal(said(daemon, 'successor started').length, 1);
    assert.equal((await request('GET', daemon.url, '/info/node')).status, 200);
    await end(pid);
  });
  await check('sockets of a socket unit (systemd-socket-activate)', async () => {
    const free = await new Promise((resolve) => {
      const server = net.createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        server.close(() => resolve(port));
      });
    });
    const child = spawn('systemd-socket-activate', ['-l', `127.0.0.1:${free}`, '--fdname=public', PROGRAM, '--data', newFolder(),
      '--listen', '127.0.0.1:1', '--admin', '127.0.0.1:0'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.on('data', (chunk) => (text += chunk));
    await until(() => /Listening on/.test(text), 'the listener');
    const answer = spawnSync('curl', ['-sS', '--retry-connrefused', '--retry', '3', `http://127.0.0.1:${free}/info/node`]);
    assert.match(answer.stdout.toString(), /seq_pub/);
    const line = await until(() => text.split('\n').find((one) => /"public".*\}$/.test(one)), 'a line');
    assert.equal(JSON.parse(line).address, `127.0.0.1:${free}`);
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
  });
  await check('what is passed and is no listener is refused', async () => {
    const data = newFolder();
    const run = spawnSync('bash', ['-c',
      'exec 3</dev/null; exec env LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=public "$0" --data "$1" --admin 127.0.0.1:0', PROGRAM, data]);
    assert.equal(run.status, 1);
    assert.match(run.stderr.toString(), /passed sockets: not a listening stream socket/);
  });
});
