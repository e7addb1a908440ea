#!/usr/bin/env node
// Subscriptions under load: no gap, no repeat, slow and vanished readers (protocol.md 9.3, 9.5).

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { Enclave, club, forum, wall } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { seededRandom } from './lib/random.mjs';
import { Socket } from './lib/socket.mjs';
import { mapWide, sleep, until } from './lib/wait.mjs';
import { auditNode } from '../replay/audit.mjs';

const COMMITS = 240;
const WRITERS = 8;
const READERS = 30;
const BIG = 250_000;
const BIG_COMMITS = 90;
const CLEAR = { perMessageDeflate: false }; /* what fills a buffer must not shrink */

const seqOf = (frame) => frame.event.seq;

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** All Event frames of a subscription; EOSE has to come once. */
async function collect(sub, last) {
  const got = [];
  let heads = 0;
  while (got.at(-1) !== last) {
    const frame = await sub.next(15_000);
    if (frame.type === 'EOSE') heads++;
    else got.push(seqOf(frame));
  }
  if (heads === 0) heads += Number((await sub.next()).type === 'EOSE');
  assert.equal(heads, 1, 'one EOSE');
  return got;
}

await runSuite(async ({ check }) => {
  const random = seededRandom();
  const daemon = await Daemon.start();
  const { client } = daemon;

  await check(`9.3 ${READERS} subscriptions opened while ${COMMITS} commits run: all of it, once`,
    async () => {
      const enclave = await Enclave.create(client, forum);
      const reader = await enclave.newHolder('Admin');
      const sockets = await Promise.all(range(1, 4).map(() => Socket.open(client)));
      const commits = range(1, COMMITS).map((i) => enclave.make(enclave.owner,
        i % 3 ? 'Post' : 'Note', `${i}`));
      const subs = [];
      const open = async (i) => {
        await sleep(random.below(1200));
        const from = random.below(10);
        const how = random.chance(50) ? { as: reader } : { as: enclave.owner };
        const sub = random.pick(sockets).query(`s${i}`, enclave.id, { limit: 1000,
          seq: { start_at: from } }, how);
        subs.push({ sub, from });
      };
      const opened = Promise.all(range(1, READERS).map(open));
      const receipts = await mapWide(commits, WRITERS, async (commit) => {
        await sleep(random.below(40));
        return client.accept(commit);
      });
      await opened;
      const last = Math.max(...receipts.map((receipt) => receipt.seq));
      assert.equal(last, COMMITS + 1);
      for (const { sub, from } of subs) {
        assert.deepEqual(await collect(sub, last), range(from, last));
      }
      await auditNode(client, enclave.id, reader);
      sockets.forEach((socket) => socket.terminate());
    }, 40_000);

  await check('9.3 commits and subscriptions on one socket: the receipt never outruns durability',
    async () => {
      const enclave = await Enclave.create(client, wall);
      const socket = await Socket.open(client);
      const sub = socket.query('s', enclave.id, {});
      await sub.stored();
      for (let i = 0; i < 60; i++) socket.commit(enclave.make(enclave.owner, 'Post', `${i}`));
      assert.deepEqual((await sub.live(60)).map(seqOf), range(1, 60));
      await until(() => socket.rest.frames.length === 60, 'receipts');
      assert.deepEqual(socket.rest.frames.map((frame) => frame.seq), range(1, 60));
      socket.terminate();
    });

  await check('9.5 a slow consumer is closed, everybody else gets everything', async () => {
    const enclave = await Enclave.create(client, wall);
    const [slow, quick] = [await Socket.open(client, '/', CLEAR), await Socket.open(client)];
    const [lost, good] = [slow, quick].map((socket) => socket.query('s', enclave.id, {}));
    await Promise.all([lost.stored(), good.stored()]);
    slow.raw._socket.pause();
    const text = 'x'.repeat(BIG);
    const posts = range(1, BIG_COMMITS).map((i) => enclave.make(enclave.owner, 'Post',
      `${i} ${text}`));
    await mapWide(posts, 4, (commit) => client.accept(commit));
    assert.deepEqual((await good.live(BIG_COMMITS, 15_000)).map(seqOf), range(1, BIG_COMMITS));
    slow.raw._socket.resume();
    const ended = () => slow.closed || lost.frames.some((frame) => frame.type === 'Closed');
    await until(ended, 'slow_consumer', 10_000);
    const events = lost.frames.filter((frame) => frame.type === 'Event').map(seqOf);
    assert.ok(events.length < BIG_COMMITS, 'it cannot have got everything');
    assert.deepEqual(events, range(1, events.length), 'what it got has no gap');
    const closed = lost.frames.filter((frame) => frame.type === 'Closed');
    closed.forEach((frame) => assert.equal(frame.reason, 'slow_consumer'));
    assert.ok(closed.length === 1 || slow.closed, 'told, or cut off');
    quick.terminate();
  }, 40_000);

  /** An enclave with more stored than any buffer on the way holds, and a reader that pauses. */
  async function pausedReader(content) {
    const enclave = await Enclave.create(client, content);
    const reader = newKey();
    if (content === club) await enclave.grant(reader, 'Member');
    const posts = range(1, BIG_COMMITS).map((i) => enclave.make(enclave.owner, 'Post',
      `${i} ${'x'.repeat(BIG)}`));
    await mapWide(posts, 4, (commit) => client.accept(commit));
    const socket = await Socket.open(client, '/', CLEAR);
    const sub = socket.query('s', enclave.id, { limit: 1000 }, { as: reader });
    await sub.next();
    socket.raw._socket.pause();
    await sleep(300);
    return { enclave, reader, socket, sub };
  }

  await check('9.3 a reader slow in its stored events is waited for: no gap behind EOSE', async () => {
    const { enclave, socket, sub } = await pausedReader(wall);
    for (let i = 0; i < 20; i++) await enclave.post(enclave.owner, `${i}`);
    socket.raw._socket.resume();
    assert.deepEqual(await collect(sub, BIG_COMMITS + 20), range(1, BIG_COMMITS + 20));
    await enclave.post(enclave.owner, 'live');
    assert.deepEqual((await sub.live(1)).map(seqOf), [BIG_COMMITS + 21]);
    socket.terminate();
  }, 40_000);
  await check('9.5 R lost during the stored events: no more of them, access_revoked', async () => {
    const { enclave, reader, socket, sub } = await pausedReader(club);
    await enclave.add(enclave.owner, 'Revoke', { identity: reader.pub, role: 'Member' });
    socket.raw._socket.resume();
    const frames = await sub.through('Closed', 15_000);
    assert.equal(frames.at(-1).reason, 'access_revoked');
    const events = frames.filter((frame) => frame.type === 'Event');
    assert.ok(events.length < BIG_COMMITS - 1, `${events.length} events`);
    socket.terminate();
  }, 40_000);
  await check('9.4 Close and Terminate during the stored events', async () => {
    const { enclave, socket, sub } = await pausedReader(wall);
    const other = socket.query('t', enclave.id, { type: 'Terminate' });
    await enclave.add(enclave.owner, 'Terminate');
    sub.close();
    socket.raw._socket.resume();
    assert.equal((await sub.through('Closed', 15_000)).at(-1).reason, 'client_close');
    const told = await other.through('Closed', 15_000);
    assert.equal(told.at(-1).reason, 'enclave_terminated');
    assert.equal(told.filter((frame) => frame.type === 'Event').length, 1);
    socket.terminate();
  }, 40_000);

  await check('vanished readers are harmless', async () => {
    const enclave = await Enclave.create(client, wall);
    const gone = await Promise.all(range(1, 20).map(() => Socket.open(client)));
    await Promise.all(gone.map((socket, i) => socket.query(`s${i}`, enclave.id, {}).stored()));
    const commits = range(1, 60).map((i) => enclave.make(newKey(), 'Post', `${i}`));
    const writing = mapWide(commits, 6, (commit) => client.accept(commit));
    for (const socket of gone) {
      await sleep(random.below(20));
      socket.terminate();
    }
    assert.equal((await writing).length, 60);
    const half = await Socket.open(client);
    half.commit(enclave.make(enclave.owner, 'Post', 'nobody waits for the answer'));
    half.terminate();
    const sub = (await Socket.open(client)).query('s', enclave.id, {});
    assert.ok((await sub.stored()).length >= 61);
  });
  assert.equal((await daemon.stop()).code, 0);
});
