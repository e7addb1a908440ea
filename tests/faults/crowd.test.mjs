#!/usr/bin/env node
// 10,000 connections at once, and clients that never read: what they cost is bounded and comes back, others are served.

import assert from 'node:assert/strict';
import net from 'node:net';
import { runSuite } from '../wire/lib/check.mjs';
import { Enclave, wall } from '../wire/lib/fixtures.mjs';
import { newKey } from '../wire/lib/keys.mjs';
import { Daemon } from '../wire/lib/process.mjs';
import { Raw } from '../wire/lib/raw.mjs';
import { sessionOf } from '../wire/lib/client.mjs';
import { Socket } from '../wire/lib/socket.mjs';
import { mapWide, sleep, until } from '../wire/lib/wait.mjs';
import { Process, mib } from './lib/fault.mjs';
import { Ledger, stopSound } from './lib/ledger.mjs';

const PATIENCE = Number(process.env.ENC_PATIENCE ?? 1);
const CROWD = 10_000;
const SURPLUS = 200;
const PER_CONNECTION = (16 << 10) * PATIENCE; /* README of net: 8 KiB of buffers once it has spoken */
const DEAF = 8;
const QUEUE = 1 << 20;
const PAGE = 8 << 20; /* limits.query_body */

const open = (url, from) => new Promise((resolve) => {
  const { hostname, port } = new URL(url);
  const socket = net.connect({ host: hostname, port, localAddress: from });
  socket.on('data', (chunk) => (socket.heard = (socket.heard ?? 0) + chunk.length));
  socket.on('close', () => (socket.isClosed = true));
  socket.on('error', () => {});
  socket.on('connect', () => resolve(socket));
  socket.on('close', () => resolve(socket));
});

await runSuite(async ({ check }) => {
  await check(`${CROWD} connections at once: bounded, served, and given back`, async () => {
    const daemon = await Daemon.start({ env: { ENCLAVED_LIMITS_CONNECTIONS: String(CROWD),
      ENCLAVED_LIMITS_REQUEST_TIMEOUT_MS: '120000' } });
    const held = new Process(daemon);
    const ledger = await Ledger.create(daemon.client);
    await ledger.send(ledger.commits(50));
    const known = held.descriptors;
    const before = { memory: held.memory, threads: held.threads };
    const places = Array.from({ length: CROWD + SURPLUS }, (_, i) => `127.0.1.${1 + i % 100}`);
    const all = await mapWide(places, 200, (from) => open(daemon.url, from));
    await until(() => all.filter((one) => one.isClosed).length >= SURPLUS, 'the surplus to be turned away', 10_000);
    const crowd = all.filter((one) => !one.isClosed);
    assert.ok(crowd.length > CROWD - 100, `${crowd.length} stay`);
    const quiet = held.memory - before.memory;
    const begun = Date.now();
    crowd.forEach((one) => one.write('GET /info/node HTTP/1.1\r\nHost: t\r\n\r\n'));
    await until(() => crowd.every((one) => one.heard > 100), 'an answer to each', 20_000 * PATIENCE);
    const took = Date.now() - begun;
    const spoken = held.memory - before.memory;
    assert.ok(spoken < PER_CONNECTION * crowd.length, mib(spoken));
    assert.equal(held.threads, before.threads);
    await ledger.send(ledger.commits(100)); /* those who were there before are served */
    crowd.forEach((one) => one.destroy());
    await until(() => held.descriptors <= known + 70, 'descriptors to come back', 10_000);
    const left = () => held.memory - before.memory;
    await until(() => left() < (32 << 20) * PATIENCE, 'memory to come back');
    const late = await Raw.open(daemon.url);
    late.write('GET /info/node HTTP/1.1\r\nHost: t\r\n\r\n');
    await late.whenText(/200 OK/);
    await ledger.verify();
    console.log(`        ${mib(quiet)} for ${crowd.length} quiet ones, ${mib(spoken)} once they spoke (${
      Math.round(spoken / crowd.length)} bytes each, all answered in ${took} ms), ${mib(left())} left`);
    await stopSound(daemon);
  }, 90_000);

  await check(`${DEAF} subscribers and ${DEAF} readers that never read: bounded, cut, everybody else has all of it`, async () => {
    const daemon = await Daemon.start({ env: { ENCLAVED_LIMITS_SEND_QUEUE: String(QUEUE),
      ENCLAVED_LIMITS_SLOW_GRACE_MS: '500', ENCLAVED_LIMITS_RESPONSE_TIMEOUT_MS: '3000' } });
    const held = new Process(daemon);
    const ledger = await Ledger.create(daemon.client);
    const { enclave } = ledger;
    await ledger.send(ledger.commits(10, 'w'.repeat(100_000)));
    const good = (await Socket.open(daemon.client)).query('g', enclave.id, {});
    await good.stored();
    const query = JSON.stringify({ type: 'Query', enclave: enclave.id, content: { filter: { limit: 1000 } } });
    const post = `POST /enclave/${enclave.id} HTTP/1.1\r\nHost: t\r\nContent-Length: ${query.length}\r\n\r\n${query}`;
    const before = { memory: held.memory, descriptors: held.descriptors };
    const { result: deaf, grown } = await held.peak(async () => {
      const sockets = await Promise.all(Array.from({ length: DEAF }, async (_, i) => {
        const socket = await Socket.open(daemon.client);
        /* half of them sealed: those frames are nobody else's */
        const sub = socket.query('s', enclave.id, { limit: 1 }, i % 2 ? { as: newKey() } : {});
        await sub.stored();
        socket.raw.pause();
        return socket;
      }));
      const readers = await Promise.all(Array.from({ length: DEAF }, () => Raw.open(daemon.url)));
      readers.forEach((raw) => raw.socket.pause());
      readers.forEach((raw) => raw.write(post.repeat(4)));
      await ledger.send(ledger.commits(400, 'x'.repeat(40_000)), 8);
      await sleep(1000);
      return [...sockets, ...readers];
    });
    /* a queue and a write of each subscriber, a page of each reader, and pages that are made */
    const bound = (DEAF * (QUEUE + 262_144) + DEAF * PAGE + 8 * PAGE) * PATIENCE;
    assert.ok(grown < bound, `${mib(grown)} of ${mib(bound)}`);
    await until(() => held.descriptors <= before.descriptors + 12, 'the deaf to be cut', 15_000);
    await until(() => good.frames.at(-1)?.event?.seq === ledger.receipts.length - 1, 'the last event');
    const seqs = good.frames.map((frame) => frame.event.seq);
    assert.deepEqual(seqs, seqs.map((_, i) => seqs[0] + i), 'no gap');
    await until(() => held.memory - before.memory < (32 << 20) * PATIENCE, 'memory to come back');
    console.log(`        grown by ${mib(grown)} of ${mib(bound)}, ${mib(held.memory - before.memory)} left`);
    deaf.forEach((one) => (one.terminate ?? one.end).call(one));
    await ledger.verify();
    await stopSound(daemon);
  }, 90_000);
});
