#!/usr/bin/env node
// Names that do not resolve, or slowly, and then do: pushes and the DataView they feed wait and then have all of it in
// order, others are not held up, threads and memory stay bounded.

import assert from 'node:assert/strict';
import { runSuite } from '../wire/lib/check.mjs';
import { makeCommit } from '../wire/lib/commit.mjs';
import { assertOk } from '../wire/lib/errors.mjs';
import { Enclave } from '../wire/lib/fixtures.mjs';
import { newKey } from '../wire/lib/keys.mjs';
import { Daemon } from '../wire/lib/process.mjs';
import { Receiver } from '../wire/lib/receiver.mjs';
import { sleep, until } from '../wire/lib/wait.mjs';
import { Faults, Process, mib, missing } from './lib/fault.mjs';
import { stopSound } from './lib/ledger.mjs';

const PATIENCE = Number(process.env.ENC_PATIENCE ?? 1);
const QUEUES = 40;
const IN_FLIGHT = 16;
const ENV = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true', ENCLAVED_BOOTSTRAP_OPEN: 'true',
  ENCLAVED_LIMITS_PUSH_TIMEOUT_MS: '1000', ENCLAVED_LIMITS_PUSH_IN_FLIGHT: String(IN_FLIGHT),
  ENCLAVED_PUSH_BREAKER_FAILURES: '0' };

await runSuite(async ({ check, skip }) => {
  if (missing) return skip('names that fail', missing);
  const faults = new Faults();
  const receiver = await Receiver.start();
  const daemon = await faults.start({ env: ENV });
  const other = await Daemon.start({ env: ENV });
  const held = new Process(daemon);
  const byName = (path) => receiver.url(path, `${path.replaceAll('/', '')}.test`); /* nobody has looked it up before */
  const good = (path) => receiver.on(path).filter((entry) => entry.status === 200).map((entry) => entry.payload.push_seq);
  const follow = (enclave, endpoint, pub = newKey().pub) =>
    enclave.add(enclave.owner, 'Grant_Push', { identity: pub, role: 'Sink', endpoint });

  const owner = newKey();
  const { json: { enclave: timeline } } = await other.client.post('/timeline/_bootstrap', { owner: owner.pub });
  const feed = async () => assertOk(await other.client.get(`/timeline/enclave/${timeline}/feed`)).json.posts;

  /** An enclave that pushes to hosts by name and to one by address. */
  async function world(name) {
    const enclave = await Enclave.create(daemon.client);
    await follow(enclave, byName(`/${name}`));
    await follow(enclave, receiver.url(`/${name}/direct`));
    await follow(enclave, `http://feed-${name}.test:${new URL(other.url).port}/timeline/enclave/${timeline}/push`, other.client.seqPub);
    assertOk(await other.client.post(`/timeline/enclave/${timeline}`,
      makeCommit(owner, timeline, 'Follow', { enclave: enclave.id, pub: daemon.client.seqPub, uri: daemon.url })));
    return enclave;
  }

  const say = (enclave, text) => enclave.post(enclave.owner, JSON.stringify({ text }));
  const numbered = (numbers) => assert.deepEqual(numbers, numbers.map((_, i) => i + 1), 'none is missing');

  for (const [what, order] of [['fail', { error: 'EAI_AGAIN' }], ['are unknown', { error: 'EAI_NONAME' }],
    ['take longer than a push may', { delay: 4000 }]]) {
    await check(`names that ${what}: commits and other receivers go on, then all is delivered in order`, async () => {
      const name = what.split(' ')[0];
      faults.arm('lookup', { ...order, only: '.test' });
      const enclave = await world(name);
      await say(enclave, `${name} 1`);
      await say(enclave, `${name} 2`);
      await until(() => good(`/${name}/direct`).length > 0, 'the other receiver');
      await until(() => faults.hits('lookup') >= 2, 'lookups');
      await sleep(1200);
      assert.equal(good(`/${name}`).length, 0, 'nothing came by name');
      faults.disarm('lookup');
      await until(() => good(`/${name}`).length > 0, 'the push by name', 15_000 * PATIENCE);
      await until(async () => (await feed()).filter((post) => post.enclave === enclave.id).length === 2, 'the feed', 15_000 * PATIENCE);
      numbered(good(`/${name}`));
      numbered(good(`/${name}/direct`));
    }, 45_000);
  }

  await check(`${QUEUES} queues whose names hang: threads and memory are bounded, and all is as before when they do not`, async () => {
    const enclave = await Enclave.create(daemon.client);
    await until(() => held.threads < 16, 'earlier lookups to end');
    const before = { threads: held.threads, descriptors: held.descriptors };
    faults.arm('lookup', { delay: 6000, only: '.test' });
    let [threads, descriptors] = [0, 0];
    const watch = setInterval(() => {
      threads = Math.max(threads, held.threads);
      descriptors = Math.max(descriptors, held.descriptors);
    }, 20);
    const { grown } = await held.peak(async () => {
      for (let i = 0; i < QUEUES; i++) await follow(enclave, byName(`/many/${i}`));
      await until(() => faults.hits('lookup') >= 2 * IN_FLIGHT, 'many lookups', 15_000);
      await sleep(3000);
    }).finally(() => clearInterval(watch));
    faults.disarm('lookup');
    /* a lookup that outlives its POST lives 6 s, the POST 1 s */
    assert.ok(threads <= before.threads + 6 * IN_FLIGHT + 2, `${threads} threads`);
    assert.ok(descriptors <= before.descriptors + 16 * IN_FLIGHT, `${descriptors} descriptors`);
    assert.ok(grown < (32 << 20) * PATIENCE, mib(grown));
    await until(() => Array.from({ length: QUEUES }, (_, i) => good(`/many/${i}`)).every((numbers) => numbers.length >= 1),
      'all queues', 30_000);
    for (let i = 0; i < QUEUES; i++) numbered(good(`/many/${i}`));
    await until(() => held.threads <= before.threads + 2, 'threads to end', 10_000);
    console.log(`        ${threads - before.threads} threads and ${descriptors - before.descriptors} descriptors more at most, grown by ${mib(grown)}`);
  }, 60_000);
  await stopSound(daemon);
  await stopSound(other);
  await receiver.stop();
});
