#!/usr/bin/env node
// A wall clock that jumps by hours, forward and back, below the real daemon: nothing acknowledged is lost, time in a
// log never runs back, and what waited for a time goes on as soon as the clock is right again.

import assert from 'node:assert/strict';
import { runSuite } from '../wire/lib/check.mjs';
import { verifySth } from '../wire/lib/ct.mjs';
import { assertError, assertOk } from '../wire/lib/errors.mjs';
import { Enclave } from '../wire/lib/fixtures.mjs';
import { request } from '../wire/lib/http.mjs';
import { newKey } from '../wire/lib/keys.mjs';
import { Receiver } from '../wire/lib/receiver.mjs';
import { Socket } from '../wire/lib/socket.mjs';
import { sleep, until } from '../wire/lib/wait.mjs';
import { Faults, Process, mib, missing, ready, sort, untilServes } from './lib/fault.mjs';
import { Ledger, stopSound } from './lib/ledger.mjs';

const HOUR = 3_600_000;
const PATIENCE = Number(process.env.ENC_PATIENCE ?? 1);
const SOON_MS = 8000 * PATIENCE;
const ENV = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true',
  ENCLAVED_LIMITS_RATE_KEY: '1000', ENCLAVED_LIMITS_RATE_ADDRESS: '1000', ENCLAVED_LIMITS_ANSWER_TARGET_MS: '500',
  ENCLAVED_LIMITS_IDLE_MS: '300' };

await runSuite(async ({ check, skip }) => {
  if (missing) return skip('faults of the clock', missing);
  const faults = new Faults();
  const daemon = await faults.start({ env: ENV });
  const { client } = daemon;
  const held = new Process(daemon);
  const before = held.memory;
  const ledger = await Ledger.create(client, { bundle: { size: 4, timeout: 0 } });
  const timed = await Ledger.create(client, { bundle: { size: 10_000, timeout: 500 } });
  const socket = await Socket.open(client);
  const sub = socket.query('s', ledger.enclave.id, {});
  await sub.stored();
  const heads = [];
  const look = async () => heads.push(await client.sth(ledger.enclave.id));
  const now = async () => assertOk(await request('GET', daemon.url, '/info/node')).json.now;

  await check('forward by six hours: commits of before are EXPIRED, new ones bundled in time, the log goes on', async () => {
    await ledger.send(ledger.commits(6));
    await look();
    const late = ledger.commits(2);
    faults.shiftClock(6 * HOUR);
    assert.ok(Math.abs(await now() - Date.now() - 6 * HOUR) < 5000);
    for (const answer of await ledger.send(late)) assertError(answer, 'EXPIRED');
    const { exp } = late[0];
    const fresh = Array.from({ length: 6 }, (_, i) =>
      ledger.enclave.make(ledger.enclave.owner, 'Post', `${i}`, { exp: exp + 6 * HOUR }));
    assert.equal(sort(await ledger.send(fresh, 1)).receipts.length, 6);
    await look();
    assert.ok(heads.at(-1).t > Date.now() + 5 * HOUR, 'a head tells the time of the node');
    const one = timed.enclave.make(timed.enclave.owner, 'Post', 'new', { exp: exp + 6 * HOUR });
    sort(await timed.send([one]));
    await until(async () => (await client.sth(timed.enclave.id)).ts > 0, 'the bundle to close', SOON_MS);
  });
  await check('a push that failed while the clock was ahead is tried again soon after it is right', async () => {
    const receiver = await Receiver.start();
    const pushing = await Enclave.create(client, undefined, { bundle: { size: 4, timeout: 0 } }).catch(() => null);
    assert.equal(pushing, null, 'the clock is ahead: our commits have expired');
    faults.shiftClock(0);
    const enclave = await Enclave.create(client);
    receiver.statuses = [200, 500, 500];
    await enclave.add(enclave.owner, 'Grant_Push', { identity: newKey().pub, role: 'Sink', endpoint: receiver.url('/hook') });
    await receiver.first(1, '/hook');
    const commit = enclave.make(enclave.owner, 'Post', 'pushed', { exp: Date.now() + 6 * HOUR + 60_000 });
    faults.shiftClock(6 * HOUR);
    assertOk(await client.commit(commit));
    await receiver.first(3, '/hook', SOON_MS); /* the first retry was after a second */
    await sleep(300); /* the failure is written down, for an hour that never comes */
    faults.shiftClock(0);
    await until(() => receiver.on('/hook').at(-1).status === 200, 'the push to be delivered', SOON_MS);
    assert.deepEqual(receiver.on('/hook').map((entry) => entry.payload.push_seq), [1, 2, 2, 2]);
    await receiver.stop();
  }, 30_000 * PATIENCE);
  await check('right again: commits are accepted at once, time in the log has not run back, heads tell the time', async () => {
    await untilServes(ledger.enclave, SOON_MS);
    sort(await ledger.send(ledger.commits(6), 1));
    await look();
    const { t } = heads.at(-1);
    assert.ok(Math.abs(t - Date.now()) < 60_000, `a head of ${Math.round((t - Date.now()) / 60_000)} minutes ahead`);
    const log = await client.queryAll(ledger.enclave.id, { limit: 1000 });
    log.reduce((last, { event }) => {
      assert.ok(event.timestamp >= last, 'timestamps never run back');
      return event.timestamp;
    }, 0);
  });
  await check('back by six hours and right again: EXP_TOO_FAR meanwhile, then all goes on, bundles and readiness too', async () => {
    const enclave = await Ledger.create(client, { bundle: { size: 10_000, timeout: 1500 } });
    await enclave.send(enclave.commits(1));
    faults.arm('sync', { error: 'EIO', count: 1 });
    sort(await ledger.send(ledger.commits(1)), 'INTERNAL_ERROR');
    faults.shiftClock(-6 * HOUR);
    for (const answer of await ledger.send(ledger.commits(3))) assertError(answer, 'EXP_TOO_FAR');
    await until(async () => (await ready(daemon)).status === 'ready', 'a fault of hours ahead to be forgotten', 3000 * PATIENCE);
    await look();
    assert.ok(Math.abs(heads.at(-1).t - Date.now() + 6 * HOUR) < 60_000, 'a head tells the time of the node');
    await sleep(1500);
    faults.shiftClock(0);
    await until(async () => (await client.sth(enclave.enclave.id)).ts > 0, 'the bundle to close', SOON_MS);
    sort(await ledger.send(ledger.commits(6), 1));
    await enclave.verify();
  }, 30_000 * PATIENCE);
  await check('nine jumps under load: every answer is a receipt or a refusal by time, subscribers miss nothing', async () => {
    for (let i = 0; i < 9; i++) {
      faults.shiftClock([2 * HOUR, -3 * HOUR, 0][i % 3]);
      sort(await ledger.send(ledger.commits(40)), 'EXPIRED', 'EXP_TOO_FAR');
      await sleep(100);
    }
    await untilServes(ledger.enclave, SOON_MS);
    sort(await ledger.send(ledger.commits(20)));
    const last = ledger.receipts.at(-1).seq;
    await until(() => sub.frames.at(-1)?.event?.seq >= last, 'the last event', SOON_MS);
    const seqs = sub.frames.map((frame) => frame.event.seq);
    assert.deepEqual(seqs, seqs.map((_, i) => seqs[0] + i), 'no gap');
  }, 30_000 * PATIENCE);
  await check('afterwards: every receipt is there, heads are consistent, memory as before', async () => {
    await look();
    heads.forEach((sth) => assert.ok(verifySth(sth, client.seqPub)));
    heads.reduce((a, b) => (assert.ok(b.ts >= a.ts), b));
    await ledger.verify({ hasTime: false });
    const grown = held.memory - before;
    assert.ok(grown < (24 << 20) * PATIENCE, mib(grown));
    console.log(`        grown by ${mib(grown)}`);
    socket.close?.();
    await stopSound(daemon);
  });
});
