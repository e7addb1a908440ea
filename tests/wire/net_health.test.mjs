#!/usr/bin/env node
// /healthz and /readyz: threads of a real daemon are made to stand still, and the daemon says which;
// every reason not to be ready has a name.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { runSuite } from './lib/check.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { readMetrics } from './lib/metrics.mjs';
import { Daemon, PROGRAM, newFolder } from './lib/process.mjs';
import { sleep, until } from './lib/wait.mjs';

const HOLD = path.join(path.dirname(PROGRAM), 'libhold.so');
const LIMIT_MS = 3000; /* the least */

await runSuite(async ({ check, skip }) => {
  const health = (daemon) => request('GET', daemon.admin, '/healthz');
  const ready = (daemon) => request('GET', daemon.admin, '/readyz');
  const told = (daemon, msg) => daemon.lines.filter((line) => line.msg === msg);

  if (!fs.existsSync(HOLD)) {
    skip('stuck threads', 'a sanitizer must be the first library');
  } else {
    const prefix = path.join(newFolder(), 'hold');
    const daemon = await Daemon.start({ env: { LD_PRELOAD: HOLD, HOLD: prefix,
      ENCLAVED_WATCHDOG_MS: String(LIMIT_MS), ENCLAVED_THREADS: '3' } });
    const enclave = await Enclave.create(daemon.client, wall);

    /** A thread stands still in call once start has been asked for; look at what is said of it. */
    async function stall(call, thread, start, { isSilent = false } = {}) {
      const before = await readMetrics(daemon);
      const file = `${prefix}.${call}`;
      const pattern = new RegExp(`^${thread} \\d+$`);
      assert.equal((await health(daemon)).status, 200);
      fs.writeFileSync(file, '');
      const began = start();
      await until(() => told(daemon, 'a thread is stuck').some((line) => pattern.test(line.thread)),
        `${thread} to be stuck`, 5 * LIMIT_MS);
      const line = told(daemon, 'a thread is stuck').find((one) => pattern.test(one.thread));
      assert.equal(line.level, 'error');
      assert.ok(line.for_ms >= LIMIT_MS && line.for_ms < 5 * LIMIT_MS, String(line.for_ms));
      if (!isSilent) {
        const answer = await health(daemon);
        assert.equal(answer.status, 503);
        assert.equal(answer.json.status, 'stuck');
        assert.deepEqual(answer.json.threads.filter((name) => !pattern.test(name)), []);
        const page = await readMetrics(daemon);
        assert.equal(page.get('enclaved_threads_stuck'), answer.json.threads.length);
      }
      fs.unlinkSync(file);
      await began;
      await until(async () => (await health(daemon)).status === 200, `${thread} to recover`);
      await until(() => told(daemon, 'a stuck thread goes on').some((one) => pattern.test(one.thread)),
        'its recovery to be told');
      const after = await readMetrics(daemon);
      assert.equal(after.get('enclaved_threads_stuck'), 0);
      assert.ok(after.get('enclaved_thread_stalls_total') > before.get('enclaved_thread_stalls_total'));
    }

    await check('a writer that waits for its disk', () =>
      stall('fdatasync', 'writer', () => enclave.post(enclave.owner)));
    await check('a worker that reads for ever', () =>
      stall('mdb_txn_renew', 'worker', () => daemon.client.query(enclave.id, { limit: 1 })));
    await check('a loop, which then does not answer at all', () =>
      stall('accept4', 'loop', () => fetch(`${daemon.url}/info/node`), { isSilent: true }));
    await check('an idle node is never stuck', async () => {
      const stalls = (await readMetrics(daemon)).get('enclaved_thread_stalls_total');
      await sleep(2 * LIMIT_MS);
      assert.equal((await health(daemon)).status, 200);
      assert.equal((await readMetrics(daemon)).get('enclaved_thread_stalls_total'), stalls);
      assert.equal((await daemon.stop()).code, 0);
    });
    await check('backlog: jobs that wait for stuck workers make the node unready, and less so when done',
      async () => {
        const crowded = await Daemon.start({ env: { LD_PRELOAD: HOLD, HOLD: prefix,
          ENCLAVED_THREADS: '3',
          ENCLAVED_LIMITS_JOBS: '20', ENCLAVED_LIMITS_BACKLOG_PERCENT: '50' } });
        const room = await Enclave.create(crowded.client, wall);
        assert.deepEqual((await ready(crowded)).json, { status: 'ready' });
        fs.writeFileSync(`${prefix}.mdb_txn_renew`, '');
        const waiting = [];
        for (let i = 0; i < 4; i++) waiting.push(crowded.client.query(room.id, { limit: 1 }));
        await sleep(50);
        for (let i = 0; i < 30; i++) waiting.push(room.tryAdd(room.owner, 'Post', `${i}`));
        const answer = await until(async () => {
          const got = await ready(crowded);
          return got.status === 503 && got;
        }, 'the backlog to be seen');
        assert.deepEqual(answer.json, { status: 'unready', reasons: ['backlog'] });
        fs.unlinkSync(`${prefix}.mdb_txn_renew`);
        await Promise.all(waiting);
        await until(async () => (await ready(crowded)).status === 200, 'the node to be ready again');
        assert.equal(told(crowded, 'too much waits; not ready').length, 1);
        assert.equal(told(crowded, 'what waited is done').length, 1);
        assert.equal((await crowded.stop()).code, 0);
      });
  }
  await check('disk_floor: less room than asked for', async () => {
    const poor = await Daemon.start({ env: { ENCLAVED_LIMITS_DISK_FLOOR_MIB: '1048576' } });
    const answer = await until(async () => {
      const got = await ready(poor);
      return got.status === 503 && got;
    }, 'the disk to be looked at');
    assert.deepEqual(answer.json, { status: 'unready', reasons: ['disk_floor'] });
    assert.equal((await health(poor)).status, 200, 'alive all the same');
    assert.equal((await poor.stop()).code, 0);
  });
});
