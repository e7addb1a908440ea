#!/usr/bin/env node
// The circuit breaker of pushes: a host that fails is left alone, one POST tries, then all goes on.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { runSuite } from './lib/check.mjs';
import { Enclave, forum } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { Receiver } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

const FAILURES = 6;
const COOLDOWN_MS = 4000;

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start({ env: { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true',
    ENCLAVED_PUSH_BREAKER_FAILURES: String(FAILURES), ENCLAVED_PUSH_BREAKER_COOLDOWN_MS: String(COOLDOWN_MS) } });
  const [sick, well] = [await Receiver.start(), await Receiver.start()];
  const enclave = await Enclave.create(daemon.client, forum);
  const endpoint = (url) => enclave.add(enclave.owner, 'Grant_Push', { identity: newKey().pub, role: 'Sink', endpoint: url });
  const figure = async (pattern) => {
    const { text } = await request('GET', daemon.admin, '/metrics');
    return Number(text.match(pattern)[1]);
  };
  const open = () => figure(/enclaved_push_breakers\{state="open"\} (\d+)/);
  const resting = () => figure(/enclaved_push_posts_total\{result="breaker_open"\} (\d+)/);

  await check('a host that fails is left alone, others are not; the attempts count', async () => {
    sick.statuses = Array(1000).fill(500);
    for (let i = 0; i < 4; i++) await endpoint(sick.url(`/${i}`));
    await endpoint(well.url('/'));
    await enclave.post(enclave.owner);
    await until(async () => await open() === 1, 'the breaker to open', 15_000);
    const before = sick.requests.length;
    assert.ok(before >= FAILURES, String(before));
    const reached = well.requests.length;
    await enclave.post(enclave.owner);
    await until(() => well.requests.length > reached, 'the other host to get it');
    await until(async () => await resting() > 0, 'an attempt that is not made', 15_000);
    assert.equal(sick.requests.length, before, 'nobody asks it');
  }, 40_000);
  await check('one tries; it fails, and the host is left alone again', async () => {
    const before = sick.requests.length;
    await until(() => sick.requests.length > before, 'a try', 30_000);
    await sleep(300);
    assert.equal(sick.requests.length, before + 1, 'one only');
    assert.equal(await open(), 1);
  }, 40_000);
  await check('one tries; it goes well, and all is delivered in order', async () => {
    sick.statuses = [];
    const last = async (path) => sick.requests.filter((entry) => entry.path === path && entry.status === 200).at(-1);
    for (let i = 0; i < 4; i++) await until(() => last(`/${i}`), `queue ${i}`, 60_000);
    assert.equal(await open(), 0);
    for (let i = 0; i < 4; i++) {
      const numbers = sick.requests.filter((entry) => entry.path === `/${i}` && entry.status === 200)
        .map((entry) => entry.payload.push_seq);
      assert.deepEqual(numbers, numbers.map((_, at) => at + 1), 'none is missing');
    }
  }, 120_000);
  const { code } = await daemon.stop();
  assert.equal(code, 0);
});
