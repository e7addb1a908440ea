#!/usr/bin/env node
// Stopping: what is in flight is answered, everybody is told, the process ends in time with status 0 (server.md).

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';
import { runSuite } from './lib/check.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { Daemon, newFolder } from './lib/process.mjs';
import { END_HEADERS, H2, Raw, frame, framesOf, headers, openH2, requestBlock }
  from './lib/raw.mjs';
import { Socket } from './lib/socket.mjs';
import { sleep, until } from './lib/wait.mjs';

const COMMITS = 300;

/** A running daemon with an enclave. */
async function start(env = {}) {
  const daemon = await Daemon.start({ env });
  return { daemon, enclave: await Enclave.create(daemon.client, wall) };
}

/** Seconds a stop took, and how the process ended. */
async function timed(ending) {
  const begun = Date.now();
  const how = await ending;
  return { ...how, seconds: (Date.now() - begun) / 1000 };
}

const clean = ({ code, signal, seconds }, limit) => {
  assert.deepEqual([code, signal], [0, null]);
  assert.ok(seconds < limit, `stopped after ${seconds} s`);
};

/** POST over HTTP/2; { status } or { error }. */
function postH2(session, body) {
  return new Promise((resolve) => {
    const stream = session.request({ ':path': '/', ':method': 'POST' });
    let status;
    stream.on('response', (head) => (status = head[':status']));
    stream.on('error', (error) => resolve({ error }));
    stream.on('data', () => {});
    stream.on('end', () => resolve({ status }));
    stream.end(JSON.stringify(body));
  });
}

await runSuite(async ({ check }) => {
  await check('idle connections of every kind end at once', async () => {
    const { daemon } = await start();
    const kept = await Raw.open(daemon.url);
    kept.write('GET /info/node HTTP/1.1\r\nHost: t\r\n\r\n');
    await kept.whenText(/seq_pub/);
    const fresh = await Raw.open(daemon.url);
    const second = await openH2(daemon.url);
    await until(() => framesOf(second).length >= 2, 'settings');
    const stopped = timed(daemon.stop());
    await Promise.all([kept, fresh, second].map((raw) => raw.whenClosed()));
    clean(await stopped, 3);
    assert.ok(framesOf(second).some((got) => got.type === H2.GOAWAY), 'GOAWAY');
    assert.deepEqual(daemon.lines.slice(-2).map((line) => line.msg), ['draining', 'stopped']);
  });
  await check(`${COMMITS} commits in flight over HTTP/1.1 and HTTP/2: every one is answered`, async () => {
    const { daemon, enclave } = await start();
    const session = http2.connect(daemon.url);
    session.on('error', () => {});
    await new Promise((resolve) => session.on('remoteSettings', resolve));
    const commits = Array.from({ length: COMMITS }, (_, i) =>
      enclave.make(enclave.owner, 'Post', `${i} ${'x'.repeat(2000)}`));
    const over2 = commits.slice(0, 90).map((commit) => postH2(session, commit));
    const over1 = await Promise.all(commits.slice(90).map(async (commit) => {
      const raw = await Raw.open(daemon.url);
      const body = JSON.stringify(commit);
      raw.write(`POST / HTTP/1.1\r\nHost: t\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      return raw;
    }));
    await until(async () => {
      const { text } = await request('GET', daemon.admin, '/metrics');
      return Number(text.match(/class="2xx"\} (\d+)/)[1]) > 30;
    }, 'work to be under way');
    clean(await timed(daemon.stop()), 10);
    const statuses = [...(await Promise.all(over2)).map((answer) => answer.status ?? answer.error),
      ...over1.map((raw) => raw.statuses[0] ?? 'lost')];
    const lost = statuses.filter((status) => status !== 200);
    assert.deepEqual(lost, []);
    const client = await daemon.start();
    const stored = await client.queryAll(enclave.id, { type: 'Post', limit: 1000 });
    assert.equal(stored.length, COMMITS, 'what got a receipt is there');
    clean(await timed(daemon.stop()), 3);
  }, 40_000);
  await check('a request whose body is still arriving is answered', async () => {
    const { daemon, enclave } = await start();
    const body = JSON.stringify(enclave.make(enclave.owner, 'Post', 'slowly'));
    const raw = await Raw.open(daemon.url);
    raw.write(`POST / HTTP/1.1\r\nHost: t\r\nContent-Length: ${body.length}\r\n\r\n`);
    raw.write(body.slice(0, 100));
    await sleep(100);
    const stopped = timed(daemon.stop());
    await sleep(300);
    raw.write(body.slice(100));
    await raw.whenClosed();
    assert.deepEqual(raw.statuses, [200]);
    assert.match(raw.text, /connection: close/i);
    clean(await stopped, 3);
  });
  await check('while draining: no new connection, /readyz says why', async () => {
    const { daemon } = await start();
    const raw = await Raw.open(daemon.url);
    raw.write('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{');
    await sleep(100);
    const stopped = timed(daemon.stop());
    await until(() => daemon.lines.some((line) => line.msg === 'draining'), 'draining');
    await sleep(100);
    const ready = await request('GET', daemon.admin, '/readyz');
    assert.equal(ready.status, 503);
    assert.deepEqual(ready.json.reasons, ['draining']);
    assert.equal((await Raw.open(daemon.url)).error?.code, 'ECONNREFUSED');
    raw.write('}');
    await raw.whenClosed();
    clean(await stopped, 3);
  });
  await check('WebSockets: Closed shutdown for every subscription, then 1001', async () => {
    const { daemon, enclave } = await start();
    const socket = await Socket.open(daemon.client);
    const subs = ['a', 'b', 'c'].map((name) => socket.query(name, enclave.id, {}));
    await Promise.all(subs.map((sub) => sub.stored()));
    const stopped = timed(daemon.stop());
    await socket.whenClosed();
    assert.equal(socket.closed.code, 1001);
    for (const sub of subs) assert.deepEqual(sub.frames.map((got) => got.reason), ['shutdown']);
    clean(await stopped, 3);
  });
  await check('WebSocket commits in flight: receipts come before the close', async () => {
    const { daemon, enclave } = await start();
    const socket = await Socket.open(daemon.client);
    for (let i = 0; i < 200; i++) socket.commit(enclave.make(enclave.owner, 'Post', `${i}`));
    await socket.next();
    clean(await timed(daemon.stop()), 5);
    await socket.whenClosed();
    const receipts = socket.order.filter((got) => got.type === 'Receipt').length;
    const client = await daemon.start();
    const stored = await client.queryAll(enclave.id, { type: 'Post', limit: 1000 });
    assert.ok(stored.length >= receipts, `${receipts} receipts, ${stored.length} events`);
    clean(await timed(daemon.stop()), 3);
  }, 30_000);
  await check('a client that will not go is cut when the time is over', async () => {
    const { daemon } = await start({ ENCLAVED_DRAIN_TIMEOUT_MS: '1500' });
    const slow = await Raw.open(daemon.url);
    slow.write('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n{');
    const second = await openH2(daemon.url);
    second.write(headers(1, requestBlock('POST', '/'), END_HEADERS));
    const drip = setInterval(() => second.write(frame(H2.DATA, 0, 1, Buffer.from(' '))), 50);
    const deaf = await Raw.open(daemon.url);
    deaf.write('GET / HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
      + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    await deaf.whenText(/ 101 /);
    await sleep(100);
    const how = await timed(daemon.stop()).finally(() => clearInterval(drip));
    clean(how, 4);
    assert.ok(daemon.lines.some((line) => /cutting/.test(line.msg)));
  });
  await check('a second signal does not wait', async () => {
    const { daemon } = await start({ ENCLAVED_DRAIN_TIMEOUT_MS: '60000' });
    const slow = await Raw.open(daemon.url);
    slow.write('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n{');
    await sleep(100);
    const stopped = timed(daemon.stop());
    await until(() => daemon.lines.some((line) => line.msg === 'draining'), 'draining');
    daemon.child.kill('SIGINT');
    clean(await stopped, 3);
    await slow.whenClosed();
  });
  await check('SIGHUP: what may change does, the rest is named', async () => {
    const file = path.join(newFolder(), 'enclaved.yaml');
    fs.writeFileSync(file, 'log_level: info\ndrain_timeout_ms: 60000\n');
    const daemon = await Daemon.start({ args: ['--config', file] });
    fs.writeFileSync(file, 'drain_timeout_ms: 700\nshards: 3\n');
    daemon.child.kill('SIGHUP');
    await until(() => daemon.lines.some((line) => line.msg === 'configuration reloaded'), 'reload');
    assert.ok(daemon.lines.some((line) => line.key === 'shards'));
    fs.writeFileSync(file, 'drain_timeout_ms: soon\n');
    daemon.child.kill('SIGHUP');
    const said = await until(() => daemon.lines.find((line) => /not reloaded/.test(line.msg)), 'a line');
    assert.match(said.why, /enclaved\.yaml:1: drain_timeout_ms: not a number/);
    const slow = await Raw.open(daemon.url);
    slow.write('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n{');
    await sleep(100);
    clean(await timed(daemon.stop()), 5);
  });
});
