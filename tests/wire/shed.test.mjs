#!/usr/bin/env node
// Load shedding: when answers take too long some are refused at once, by name, and all come in again afterwards.

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { assertErrorBody } from './lib/errors.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { Socket } from './lib/socket.mjs';
import { sleep, until } from './lib/wait.mjs';

const BOUNDS = { ENCLAVED_LIMITS_MAILBOX: '1000000', ENCLAVED_LIMITS_JOBS: '1000000', ENCLAVED_THREADS: '1' };
const COUNT = 30_000;

const refusals = async (daemon) => {
  const { text } = await request('GET', daemon.admin, '/metrics');
  return Number(text.match(/enclaved_busy_refusals_total\{of="answer_time"\} (\d+)/)[1]);
};

/** One commit again and again, as fast as it goes: each is verified before it is known for a duplicate. */
async function flood(daemon, asked = []) {
  const enclave = await Enclave.create(daemon.client, wall);
  const commit = enclave.make(newKey(), 'Post', 'x');
  const socket = await Socket.open(daemon.client);
  const text = JSON.stringify(commit);
  const gets = [];
  for (let sent = 0; sent < COUNT; sent += 1000) {
    for (let i = 0; i < 1000; i++) socket.send(text);
    for (let i = 0; i < 10; i++) gets.push(daemon.client.get(`/enclave/${enclave.id}/sth`));
    await until(() => socket.raw.bufferedAmount < 1 << 20, 'the socket to take it');
  }
  asked.push(...await Promise.all(gets));
  await until(() => socket.order.length === COUNT, 'all answers', 60_000);
  return { enclave, commit, socket };
}

await runSuite(async ({ check }) => {
  await check('some are refused, by name and with a hint; the others as ever; then all come in again', async () => {
    const daemon = await Daemon.start({ env: { ...BOUNDS, ENCLAVED_LIMITS_ANSWER_TARGET_MS: '20' } });
    const asked = [];
    const { enclave, commit, socket } = await flood(daemon, asked);
    const away = asked.filter((answer) => answer.status === 503);
    away.forEach(({ headers, json }) => {
      assertErrorBody(json, 'RATE_LIMITED');
      assert.equal(headers['retry-after'], '1');
    });
    assert.ok(away.length > 0 && away.length < asked.length, `${away.length} of ${asked.length} over HTTP`);
    const refused = socket.order.filter((frame) => frame.code === 'RATE_LIMITED');
    const judged = socket.order.filter((frame) => frame.code === 'DUPLICATE' || frame.type === 'Receipt');
    assert.equal(refused.length + judged.length, COUNT);
    assert.ok(refused.length > COUNT / 300, `${refused.length} refused`); /* few where the machine is fast */
    assert.ok(judged.length > COUNT / 50, `${judged.length} judged`);
    for (const frame of refused) {
      assertErrorBody(frame, 'RATE_LIMITED');
      assert.deepEqual([frame.hash, frame.retry_after], [commit.hash, 1]);
    }
    assert.equal(await refusals(daemon), refused.length + away.length);
    await until(async () => {
      await sleep(1500); /* with nothing to do it forgets */
      for (let i = 0; i < 50; i++) if ((await daemon.client.get(`/enclave/${enclave.id}/sth`)).status !== 200) return false;
      return true;
    }, 'all to come in again', 20_000);
    await enclave.post(newKey());
    await socket.close();
    await daemon.stop();
  }, 90_000);
  await check('without a target nothing is refused', async () => {
    const daemon = await Daemon.start({ env: BOUNDS });
    const { socket } = await flood(daemon);
    assert.equal(socket.order.filter((frame) => frame.code === 'RATE_LIMITED').length, 0);
    assert.equal(await refusals(daemon), 0);
    await socket.close();
    await daemon.stop();
  }, 90_000);
});
