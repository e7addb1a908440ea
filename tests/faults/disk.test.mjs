#!/usr/bin/env node
// A disk that is full, fails or is slow below the real daemon: clear errors, bounded memory, nothing acknowledged is
// lost, and service returns by itself; but for one write whose failure leaves doubt, after which the node ends.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { runSuite } from '../wire/lib/check.mjs';
import { assertError } from '../wire/lib/errors.mjs';
import { Enclave } from '../wire/lib/fixtures.mjs';
import { widen } from '../wire/lib/http.mjs';
import { newKey } from '../wire/lib/keys.mjs';
import { Daemon, newFolder } from '../wire/lib/process.mjs';
import { Receiver } from '../wire/lib/receiver.mjs';
import { sleep, until } from '../wire/lib/wait.mjs';
import { Faults, Process, mib, missing, ready, sort, untilServes } from './lib/fault.mjs';
import { Ledger, stopSound } from './lib/ledger.mjs';

const PATIENCE = Number(process.env.ENC_PATIENCE ?? 1);
const MEMORY = (24 << 20) * PATIENCE; /* what a thousand commits in flight may cost */
const META_END = 8192; /* the store's two pages that make a transaction durable */
const PUSHES = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true' };

await runSuite(async ({ check, skip }) => {
  if (missing) return skip('faults of the disk', missing);
  widen(900);

  await check('EIO on every sync: INTERNAL_ERROR, reads go on; then all is as before, bundles and pushes too', async () => {
    const faults = new Faults();
    const receiver = await Receiver.start();
    const daemon = await faults.start({ env: PUSHES });
    const held = new Process(daemon);
    const ledger = await Ledger.create(daemon.client, { bundle: { size: 10_000, timeout: 600 } });
    const pushing = await Enclave.create(daemon.client);
    await pushing.add(pushing.owner, 'Grant_Push',
      { identity: newKey().pub, role: 'Sink', endpoint: receiver.url('/hook') });
    await receiver.first(1, '/hook');
    const release = receiver.hold();
    await pushing.post(pushing.owner);
    await receiver.first(2, '/hook');
    await ledger.send(ledger.commits(2));

    faults.arm('sync', { error: 'EIO' });
    release(); /* so the result of a push cannot be written down either */
    const { result, grown } = await held.peak(() => ledger.send(ledger.commits(300, 'y'.repeat(2000)), 100));
    const { receipts, bad } = sort(result, 'INTERNAL_ERROR');
    assert.deepEqual([receipts.length, bad.length], [0, 300]);
    assert.ok(grown < MEMORY, mib(grown));
    await sleep(900); /* the time of the open bundle passes */
    const info = await daemon.client.info(ledger.enclave.id);
    assert.equal(info.seq, 2);
    assert.deepEqual((await ready(daemon)).reasons, ['writes_fail']);
    assert.ok(faults.hits('sync') > 1);
    faults.disarm('sync');

    await until(async () => (await daemon.client.sth(ledger.enclave.id)).ts > info.ct.ts,
      'the bundle to close by itself');
    await until(async () => (await ready(daemon)).status === 'ready', 'readiness');
    await pushing.post(pushing.owner);
    await until(() => receiver.on('/hook').at(-1).payload.push_seq === 3, 'the next push');
    sort(await ledger.send(ledger.commits(20)));
    await ledger.verify();
    console.log(`        grown by ${mib(grown)} while 300 commits were refused`);
    await stopSound(daemon);
    await receiver.stop();
  }, 30_000);

  await check('EIO on the write that decides: the node says so and ends; what it acknowledged is there', async () => {
    const faults = new Faults();
    const daemon = await faults.start();
    const ledger = await Ledger.create(daemon.client);
    await ledger.send(ledger.commits(10));
    faults.arm('write', { error: 'EIO', value: META_END, only: 'data.mdb' });
    const answers = await ledger.send(ledger.commits(8)).catch(() => []);
    assert.equal(sort(answers, 'INTERNAL_ERROR', 'RATE_LIMITED').receipts.length, 0);
    const how = await daemon.exited;
    assert.notEqual(how.code, 0);
    assert.equal(how.signal, null);
    assert.ok(daemon.lines.some((line) => line.level === 'error' && /store/.test(line.msg)), 'it says why');
    faults.disarm('write');
    ledger.enclave.client = await daemon.start();
    sort(await ledger.send(ledger.commits(3)));
    await ledger.verify();
    await stopSound(daemon);
  }, 30_000);

  await check('syncs of 200 ms: commits share them, all are answered', async () => {
    const faults = new Faults();
    const daemon = await faults.start();
    const ledger = await Ledger.create(daemon.client);
    faults.arm('sync', { delay: 200 });
    const begun = Date.now();
    const held = new Process(daemon);
    const { result, grown } = await held.peak(() => ledger.send(ledger.commits(200), 100));
    assert.equal(sort(result).receipts.length, 200);
    assert.ok(Date.now() - begun < 8000 * PATIENCE, `${Date.now() - begun} ms`);
    assert.ok(grown < MEMORY, mib(grown));
    await ledger.verify();
    await stopSound(daemon);
  }, 30_000);

  await check('a sync of 5 s under 1,000 commits: receipts or 503, memory bounded, reads at once, then quick again', async () => {
    const faults = new Faults();
    const daemon = await faults.start({ env: { ENCLAVED_LIMITS_MAILBOX: '256' } });
    const held = new Process(daemon);
    const ledgers = [await Ledger.create(daemon.client), await Ledger.create(daemon.client)];
    const commits = ledgers.map((ledger) => ledger.commits(500, 'z'.repeat(500)));
    faults.arm('sync', { delay: 5000, count: 1 });
    const load = held.peak(() => Promise.all(ledgers.map((ledger, i) => ledger.send(commits[i], 400))));
    await until(() => faults.hits('sync') === 1, 'the slow sync');
    await sleep(1000);
    const begun = Date.now();
    await daemon.client.info(ledgers[0].enclave.id);
    const took = Date.now() - begun;
    const { result, grown } = await load;
    const { receipts, bad } = sort(result.flat(), 'RATE_LIMITED');
    assert.ok(bad.length > 0 && bad.every((answer) => answer.status === 503 && answer.headers['retry-after']), 'the bound');
    assert.ok(receipts.length >= 256);
    assert.ok(grown < MEMORY, mib(grown));
    assert.ok(took < 1000 * PATIENCE, `a read took ${took} ms`);
    const again = Date.now();
    await untilServes(ledgers[0].enclave);
    assert.ok(Date.now() - again < 1000 * PATIENCE);
    for (const ledger of ledgers) await ledger.verify();
    console.log(`        grown by ${mib(grown)}, ${receipts.length} receipts, ${bad.length} refused, a read in ${took} ms`);
    await stopSound(daemon);
  }, 40_000);

  const mount = newFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'none', mount], { stdio: 'ignore' });
  } catch {
    return skip('a file system without room', 'mounting one is not allowed');
  }
  process.prependListener('exit', () => execFileSync('umount', ['-l', mount]));
  await check('a full file system: INTERNAL_ERROR, reads go on; with room again all goes on', async () => {
    const data = path.join(mount, 'data');
    fs.mkdirSync(data, { mode: 0o700 });
    const daemon = await Daemon.start({ data });
    const held = new Process(daemon);
    const ledger = await Ledger.create(daemon.client, { bundle: { size: 8, timeout: 0 } });
    const fill = async () => {
      let refused = [];
      for (let i = 0; i < 200 && refused.length < 30; i++) {
        refused = refused.concat(sort(await ledger.send(ledger.commits(10, 'x'.repeat(40_000)), 10), 'INTERNAL_ERROR').bad);
      }
      return refused;
    };
    const { result: refused, grown } = await held.peak(fill);
    assert.ok(refused.length >= 30, 'the disk was full');
    refused.forEach((answer) => assertError(answer, 'INTERNAL_ERROR'));
    assert.ok(grown < MEMORY, mib(grown));
    await until(async () => {
      await ledger.send(ledger.commits(1, 'x'.repeat(200_000)));
      return (await ready(daemon)).reasons?.includes('writes_fail');
    }, 'readiness to say why');
    await ledger.verify();
    execFileSync('mount', ['-o', 'remount,size=40m', mount]);
    await untilServes(ledger.enclave);
    sort(await ledger.send(ledger.commits(20, 'x'.repeat(40_000))));
    await ledger.verify();
    console.log(`        grown by ${mib(grown)}, ${ledger.receipts.length} receipts before and after`);
    await stopSound(daemon);
  }, 40_000);
});
