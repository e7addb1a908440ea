#!/usr/bin/env node
// Small limits on purpose: cut answers, full mailboxes, sleeping enclaves, pushes given up.

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { assertError, assertErrorBody, assertOk } from './lib/errors.mjs';
import { Enclave, forum, wall } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { seededRandom } from './lib/random.mjs';
import { openPush, Receiver } from './lib/receiver.mjs';
import { Socket } from './lib/socket.mjs';
import { mapWide, sleep, until } from './lib/wait.mjs';
import { auditNode } from '../replay/audit.mjs';
import { Mirror } from '../replay/mirror.mjs';
import { Workload } from '../replay/workload.mjs';

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** A daemon with these limits; names as in the environment, without their prefix. */
function limited(limits, env = {}) {
  const named = Object.entries(limits).map(
    ([name, value]) => [`ENCLAVED_LIMITS_${name.toUpperCase()}`, `${value}`]);
  return Daemon.start({ env: { ...env, ...Object.fromEntries(named) } });
}

async function withDaemon(limits, env, body) {
  const daemon = await limited(limits, env);
  await body(daemon.client, daemon);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
}

await runSuite(async ({ check }) => {
  const random = seededRandom();

  await check('8.4 a Response cut by its size says next, and nothing is lost', () =>
    withDaemon({ query_body: 65_536 }, {}, async (client) => {
      const enclave = await Enclave.create(client, wall);
      const texts = range(1, 30).map((i) => `${i} ${'x'.repeat(random.below(30_000))}`);
      for (const text of texts) await enclave.post(enclave.owner, text);
      for (const as of [null, enclave.owner]) {
        for (const reverse of [false, true]) {
          const all = await client.queryAll(enclave.id, { reverse }, { as });
          const seqs = all.map(({ event }) => event.seq);
          assert.deepEqual(reverse ? seqs.reverse() : seqs, range(0, 30));
        }
      }
      const first = assertOk(await client.query(enclave.id, {})).json;
      assert.ok(JSON.stringify(first).length < 200_000 && first.content.next !== null);
      const sub = (await Socket.open(client)).query('s', enclave.id, { limit: 1000 });
      assert.deepEqual((await sub.stored()).map(({ event }) => event.seq), range(0, 30));
    }));
  await check('8.4 the largest page comes whole, in the clear and sealed', () =>
    withDaemon({}, {}, async (client) => {
      const enclave = await Enclave.create(client, wall);
      const commits = range(1, 45).map((i) =>
        enclave.make(enclave.owner, 'Post', `${i} ${'x'.repeat(200_000)}`));
      await mapWide(commits, 8, (commit) => client.accept(commit));
      for (const as of [null, enclave.owner]) {
        const answer = assertOk(await client.query(enclave.id, { limit: 1000 }, { as }));
        assert.ok(answer.text.length > 8_000_000, `${answer.text.length} bytes`);
        assert.ok(answer.content.events.length >= 40 && answer.content.next !== null);
      }
    }), 30_000);
  await check('8.4 an event larger than the bound still comes, alone', () =>
    withDaemon({ query_body: 1024 }, {}, async (client) => {
      const enclave = await Enclave.create(client, wall);
      await enclave.post(enclave.owner, 'x'.repeat(200_000));
      await enclave.post(enclave.owner, 'small');
      const all = await client.queryAll(enclave.id, {}, {});
      assert.deepEqual(all.map(({ event }) => event.seq), [0, 1, 2]);
    }));

  await check('enclaves leave memory and come back with all of their state', () =>
    withDaemon({ idle_ms: 100, live_enclaves: 16 }, {}, async (client) => {
      const worlds = await mapWide(range(1, 24), 6, async () => {
        const mirror = await Mirror.create(client, forum, { bundle: { size: 3, timeout: 0 } });
        return { mirror, workload: Workload.withPeople(random, mirror.owner, 3) };
      });
      for (let round = 0; round < 4; round++) {
        await mapWide(worlds, 8, async ({ mirror, workload }) => {
          for (let i = 0; i < 3; i++) await mirror.submit(workload.next(mirror, mirror.model));
        });
        await sleep(150);
      }
      for (const { mirror, workload } of worlds.slice(0, 8)) {
        await workload.settle(mirror);
        await auditNode(client, mirror.id, workload.owner(mirror.model));
      }
    }), 40_000);
  await check('a subscription keeps receiving from an enclave that nobody else uses', () =>
    withDaemon({ idle_ms: 100, live_enclaves: 16 }, {}, async (client) => {
      const enclave = await Enclave.create(client, wall);
      const sub = (await Socket.open(client)).query('s', enclave.id, {});
      await sub.stored();
      for (let i = 1; i <= 3; i++) {
        await sleep(300);
        await enclave.post(enclave.owner, `${i}`);
        assert.deepEqual((await sub.live(1)).map(({ event }) => event.seq), [i]);
      }
    }));
  await check('a bundle timer and an expiring subscription wake a sleeping enclave', () =>
    withDaemon({ idle_ms: 100 }, {}, async (client) => {
      const enclave = await Enclave.create(client, wall, { bundle: { size: 9, timeout: 900 } });
      await sleep(600);
      assert.equal((await client.sth(enclave.id)).ts, 0);
      await until(async () => (await client.sth(enclave.id)).ts === 1, 'the timer', 2500);
    }));

  await check('503 with Retry-After when an enclave has too much mail; refused is refused', () =>
    withDaemon({ mailbox: 4, run_commits: 2 }, {}, async (client) => {
      const enclave = await Enclave.create(client, wall);
      const commits = range(1, 200).map((i) => enclave.make(enclave.owner, 'Post', `${i}`));
      const answers = await Promise.all(commits.map((commit) => client.commit(commit)));
      const busy = answers.filter((answer) => answer.status !== 200);
      for (const answer of busy) {
        assert.equal(answer.status, 503, answer.text);
        assertErrorBody(answer.json, 'RATE_LIMITED');
        assert.ok(Number(answer.headers['retry-after']) >= 1);
        assert.ok(answer.json.retry_after >= 1);
      }
      assert.ok(busy.length > 0, 'the bound was met');
      const { seq } = await client.info(enclave.id);
      assert.equal(seq, answers.length - busy.length);
      const refused = commits.filter((_, i) => answers[i].status !== 200);
      for (const commit of refused.slice(0, 5)) await client.accept(commit);
      await auditNode(client, enclave.id, enclave.owner, 20);
    }));
  await check('the same over one WebSocket: Error frames, order kept', () =>
    withDaemon({ mailbox: 4, run_commits: 2 }, {}, async (client) => {
      const enclave = await Enclave.create(client, wall);
      const socket = await Socket.open(client);
      const commits = range(1, 100).map((i) => enclave.make(enclave.owner, 'Post', `${i}`));
      commits.forEach((commit) => socket.commit(commit));
      await until(() => socket.order.length === commits.length, 'an answer to each');
      const hashes = socket.order.map((frame) => frame.hash);
      assert.deepEqual([...hashes].sort(), commits.map((commit) => commit.hash).sort());
      const taken = socket.order.filter((frame) => frame.type === 'Receipt');
      taken.forEach((frame, i) => assert.equal(frame.seq, i + 1));
      socket.order.filter((frame) => frame.type !== 'Receipt').forEach((frame) =>
        assertErrorBody(frame, 'RATE_LIMITED'));
    }));

  const allowed = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true' };
  await check('10.3 given up: the queue goes on, the gap is served by Pull', () =>
    withDaemon({ push_attempts: 2, push_timeout_ms: 400 }, allowed, async (client) => {
      const receiver = await Receiver.start();
      const [enclave, key] = [await Enclave.create(client), newKey()];
      const url = receiver.url('/hook');
      await enclave.add(enclave.owner, 'Grant_Push', { identity: key.pub, role: 'Sink',
        endpoint: url });
      await receiver.first(1, '/hook');
      receiver.statuses = [500, 500];
      const lost = await enclave.post(enclave.owner);
      await receiver.first(3, '/hook');
      const next = await enclave.post(enclave.owner);
      const seqs = (await receiver.first(4, '/hook')).map((entry) => entry.payload.push_seq);
      assert.deepEqual(seqs, [1, 2, 2, 3]);
      const last = openPush(receiver.on('/hook')[3].payload, key, client.seqPub);
      assert.deepEqual(last.push.map((event) => event.id), [next.id]);
      const { content } = assertOk(await client.pull(enclave.id,
        { url, push_seq: { start_after: 1 }, limit: 1 }, { as: key }));
      const pulled = openPush(content.deliveries[0].payload, key, client.seqPub);
      assert.deepEqual(pulled.push.map((event) => event.id), [lost.id]);
      await receiver.stop();
    }));
  await check('10.3 an answer that takes too long is a failure', () =>
    withDaemon({ push_timeout_ms: 400 }, allowed, async (client) => {
      const receiver = await Receiver.start();
      const release = receiver.hold();
      const [enclave, key] = [await Enclave.create(client), newKey()];
      await enclave.add(enclave.owner, 'Grant_Push', { identity: key.pub, role: 'Sink',
        endpoint: receiver.url('/slow') });
      const [first, second] = await receiver.first(2, '/slow');
      release();
      const took = second.at - first.at;
      assert.ok(took >= 1350 && took < 2500, `${took} ms: 400 and then 1000`);
      assert.equal(second.text, first.text);
      await receiver.stop();
    }));
  await check('8.4 a smaller limits.query is the bound of limit', () =>
    withDaemon({ query: 5 }, {}, async (client) => {
      const enclave = await Enclave.create(client, wall);
      for (let i = 0; i < 7; i++) await enclave.post(enclave.owner, `${i}`);
      assertError(await client.query(enclave.id, { limit: 6 }), 'INVALID_FILTER');
      assert.equal(assertOk(await client.query(enclave.id, {})).content.events.length, 5);
      assert.equal((await client.queryAll(enclave.id, {})).length, 8);
    }));
});
