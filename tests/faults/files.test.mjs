#!/usr/bin/env node
// No descriptors left, of the process or of the system: whoever is connected is served, whoever is not is turned away
// without a busy loop, pushes wait, and with descriptors again all goes on.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { runSuite } from '../wire/lib/check.mjs';
import { assertOk } from '../wire/lib/errors.mjs';
import { Enclave } from '../wire/lib/fixtures.mjs';
import { request } from '../wire/lib/http.mjs';
import { newKey } from '../wire/lib/keys.mjs';
import { Raw } from '../wire/lib/raw.mjs';
import { Receiver } from '../wire/lib/receiver.mjs';
import { Socket } from '../wire/lib/socket.mjs';
import { sleep, until } from '../wire/lib/wait.mjs';
import { Faults, Process, mib, missing, untilServes } from './lib/fault.mjs';
import { Ledger, stopSound } from './lib/ledger.mjs';

const PATIENCE = Number(process.env.ENC_PATIENCE ?? 1);
const SHORTAGE_MS = 2000;
const BUSY_SHARE = 0.5 * PATIENCE; /* of one processor, while there is hardly any work */
const PUSHES = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true' };
const NEWCOMERS = 60;
const ASK = 'GET /info/node HTTP/1.1\r\nHost: t\r\n\r\n';

/* Each: how descriptors run out for daemon, and how they come back. */
const SHORTAGES = [
  ['EMFILE: the process may open no more', (daemon, held) => {
    const limit = (soft) => execFileSync('prlimit', [`--pid=${daemon.child.pid}`, `--nofile=${soft}:`]);
    limit(held.descriptors);
    return () => limit(4096);
  }],
  ['ENFILE: the system has no more', (daemon, held, faults) => {
    ['accept', 'socket'].forEach((call) => faults.arm(call, { error: 'ENFILE' }));
    return () => ['accept', 'socket'].forEach((call) => faults.disarm(call));
  }],
  ['ENOMEM: the kernel has no memory for sockets', (daemon, held, faults) => {
    ['accept', 'socket'].forEach((call) => faults.arm(call, { error: 'ENOMEM' }));
    return () => ['accept', 'socket'].forEach((call) => faults.disarm(call));
  }],
];

await runSuite(async ({ check, skip }) => {
  if (missing) return skip('a shortage of descriptors', missing);
  for (const [what, begin] of SHORTAGES) {
    await check(what, async () => {
      const faults = new Faults();
      const receiver = await Receiver.start();
      const daemon = await faults.start({ env: PUSHES });
      const held = new Process(daemon);
      const ledger = await Ledger.create(daemon.client);
      const pushing = await Enclave.create(daemon.client);
      const socket = await Socket.open(daemon.client);
      const sub = socket.query('s', ledger.enclave.id, {});
      await sub.stored();
      const raw = await Raw.open(daemon.url);
      raw.write(ASK);
      await raw.whenText(/seq_pub/);
      await request('GET', daemon.admin, '/metrics'); /* kept alive */
      await pushing.add(pushing.owner, 'Grant_Push',
        { identity: newKey().pub, role: 'Sink', endpoint: receiver.url('/hook') });
      await receiver.first(1, '/hook');
      const before = { memory: held.memory, descriptors: held.descriptors };

      const end = begin(daemon, held, faults);
      const began = { at: Date.now(), seconds: held.seconds };
      const newcomers = await Promise.all(Array.from({ length: NEWCOMERS }, () => Raw.open(daemon.url)));
      newcomers.forEach((one) => one.write(ASK));
      for (let i = 0; i < 20; i++) {
        socket.commit(ledger.enclave.make(ledger.enclave.owner, 'Post', `${i}`));
        socket.commit(pushing.make(pushing.owner, 'Post', `${i}`));
      }
      await until(() => socket.order.filter((frame) => frame.type === 'Receipt').length === 40, 'receipts meanwhile');
      raw.write(ASK);
      await until(() => raw.statuses.length === 2, 'an answer meanwhile');
      await sleep(SHORTAGE_MS - (Date.now() - began.at));
      const share = (held.seconds - began.seconds) / ((Date.now() - began.at) / 1000);
      const answered = newcomers.filter((one) => one.statuses.length > 0).length;
      assert.ok(answered < NEWCOMERS, 'somebody found no descriptor');
      assert.ok(share < BUSY_SHARE, `${(100 * share).toFixed(0)} % of a processor`);
      assert.ok(held.memory - before.memory < (16 << 20) * PATIENCE, mib(held.memory - before.memory));
      end();

      await until(() => newcomers.every((one) => one.closed || one.error || one.statuses.length > 0),
        'whoever still waits to be served', 5000);
      await until(async () => (await Raw.open(daemon.url).then((one) => {
        one.write(ASK);
        return until(() => one.closed || one.statuses.length, 'a word').then(() => one.end() || one.statuses[0]);
      })) === 200, 'a newcomer to be served', 3000);
      await untilServes(ledger.enclave);
      await until(() => receiver.on('/hook').reduce((sum, { status }) => sum + (status === 200), 0) >= 2 &&
        receiver.inFlight === 0, 'the push', 10_000);
      newcomers.forEach((one) => one.end());
      await until(() => held.descriptors <= before.descriptors + 8, 'descriptors to come back');
      assert.equal(sub.frames.length >= 20, true);
      assertOk(await request('GET', daemon.url, '/info/node'));
      await ledger.verify();
      console.log(`        ${answered} of ${NEWCOMERS} newcomers served, ${(100 * share).toFixed(0)} % of a processor`);
      await stopSound(daemon);
      await receiver.stop();
    }, 40_000);
  }
});
