#!/usr/bin/env node
// Arenas that get no memory below the real daemon: refused with 503 or whole, nothing half done, nothing lost, and
// service as soon as there is memory again. Every single allocation of a workload fails once.

import assert from 'node:assert/strict';
import { runSuite } from '../wire/lib/check.mjs';
import { CODES } from '../wire/lib/errors.mjs';
import { Enclave, forum } from '../wire/lib/fixtures.mjs';
import { newKey } from '../wire/lib/keys.mjs';
import { Receiver } from '../wire/lib/receiver.mjs';
import { Socket } from '../wire/lib/socket.mjs';
import { until } from '../wire/lib/wait.mjs';
import { auditNode } from '../replay/audit.mjs';
import { Faults, Process, mib, missing, sort, untilServes } from './lib/fault.mjs';
import { Ledger, stopSound } from './lib/ledger.mjs';

const PATIENCE = Number(process.env.ENC_PATIENCE ?? 1);
const MEMORY = (24 << 20) * PATIENCE;
const PUSHES = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true' };
const SHORT = ['RATE_LIMITED', 'INTERNAL_ERROR'];

/** An answer, or an error that says that memory was short: never one that blames the client. */
function mayBeShort(answer, ...codes) {
  if (answer.status === 200) return true;
  assert.ok([...SHORT, ...codes].includes(answer.json?.code), `${answer.status} ${answer.text?.slice(0, 300)}`);
  if (answer.json.code === 'RATE_LIMITED') assert.ok(answer.headers['retry-after'] >= 1);
  return false;
}

await runSuite(async ({ check, skip }) => {
  if (missing) return skip('arenas without memory', missing);
  const faults = new Faults();
  const receiver = await Receiver.start();
  const daemon = await faults.start({ env: { ...PUSHES, ENCLAVED_LIMITS_IDLE_MS: '100' } });
  const { client } = daemon;
  const held = new Process(daemon);

  await check('no chunk at all: 503 with Retry-After for whatever needs one, then service at once', async () => {
    const ledger = await Ledger.create(client);
    await ledger.send(ledger.commits(20));
    faults.arm('chunk', { error: 'ENOMEM' });
    const { result, grown } = await held.peak(() => ledger.send(ledger.commits(300, 'y'.repeat(10_000)), 50));
    const { receipts, bad } = sort(result, ...SHORT);
    assert.ok(bad.length > 100 && faults.hits('chunk') > 100, `${bad.length} of 300, ${faults.hits('chunk')} hits`);
    assert.ok(bad.filter((answer) => answer.status === 503).every((answer) => answer.headers['retry-after'] >= 1));
    mayBeShort(await client.query(ledger.enclave.id, {}), 'ENCLAVE_NOT_FOUND');
    faults.disarm('chunk');
    await untilServes(ledger.enclave, 3000);
    await ledger.verify();
    assert.ok(grown < MEMORY, mib(grown));
    console.log(`        ${receipts.length} receipts, ${bad.length} refused, grown by ${mib(grown)}`);
  });

  /** Something of everything; true when all of it went well. */
  async function workload(round) {
    const owner = newKey();
    let enclave = null;
    let whole = true;
    const kept = [];
    const say = async (type, content, more) => {
      const commit = enclave.make(owner, type, content, more);
      const answer = await client.commit(commit);
      whole &&= mayBeShort(answer, 'DUPLICATE');
      if (answer.status === 200) kept.push(answer.json);
      return answer.json;
    };
    const manifest = (await import('../wire/lib/commit.mjs')).makeManifest(owner, forum(owner, { bundle: { size: 3, timeout: 0 } }));
    for (let tries = 0; ; tries++) {
      const answer = await client.commit(manifest);
      if (mayBeShort(answer, 'ENCLAVE_EXISTS', 'DUPLICATE') || ['ENCLAVE_EXISTS', 'DUPLICATE'].includes(answer.json.code)) break;
      whole = false;
      assert.ok(tries < 5, 'one allocation fails, not all');
    }
    enclave = Object.assign(new Enclave(), { client, owner, id: manifest.enclave });
    await say('Gate', { event: 'Note', open: false });
    await say('Grant_Push', { identity: newKey().pub, role: 'Sink', endpoint: receiver.url(`/${round}`) });
    const post = await say('Post', 'p'.repeat(30_000));
    if (post.type === 'Receipt') await say('Update', 'changed', { tags: [['r', post.id]] });
    await say('Gate', { event: 'Note', open: true });
    whole &&= mayBeShort(await client.query(enclave.id, { limit: 50 }, { as: owner }));
    whole &&= mayBeShort(await client.prove('state', enclave.id, { namespace: 'rbac', key: owner.pub }, { as: owner }));
    whole &&= mayBeShort(await client.get(`/enclave/${enclave.id}/sth`));
    const sealed = await client.commitSealed(enclave.make(owner, 'Post', `sealed ${round}`), owner, `/enclave/${enclave.id}`);
    whole &&= mayBeShort(sealed, 'DUPLICATE');
    return { enclave, kept, whole };
  }

  await check('each allocation of a workload fails once: never a half, never a lost receipt, never a wrong word', async () => {
    let failures = 0;
    const worlds = [];
    for (let n = 0; n < 400; n++) {
      faults.arm('chunk', { error: 'ENOMEM', skip: n, count: 1, value: n % 2 ? 0 : 8192 });
      const world = await workload(n);
      const hit = faults.hits('chunk');
      faults.disarm('chunk');
      failures += hit;
      worlds.push(world);
      if (!hit && n > 40) break;
    }
    assert.ok(failures > 20, `${failures} allocations failed`);
    assert.equal(daemon.child.exitCode, null);
    for (const { enclave, kept } of worlds) {
      const log = await client.queryAll(enclave.id, {}, { as: enclave.owner });
      const ids = new Set(log.map(({ event }) => event.id));
      kept.forEach((receipt) => assert.ok(ids.has(receipt.id), `seq ${receipt.seq} is lost`));
    }
    for (const { enclave } of worlds.slice(0, 12)) await auditNode(client, enclave.id, enclave.owner, 5);
    console.log(`        ${failures} allocations failed in ${worlds.length} workloads`);
  }, 90_000);

  await check('a subscription that gets no memory says so or ends; another gets all of it', async () => {
    const ledger = await Ledger.create(client);
    await ledger.send(ledger.commits(20, 'y'.repeat(20_000)));
    const socket = await Socket.open(client);
    faults.arm('chunk', { error: 'ENOMEM' });
    socket.query('a', ledger.enclave.id, {});
    await until(() => socket.order.length > 0 || socket.closed, 'a word');
    const [first] = socket.order;
    if (first?.type === 'Error') assert.ok(SHORT.includes(first.code) && CODES.includes(first.code), first.code);
    faults.disarm('chunk');
    const again = (await Socket.open(client)).query('b', ledger.enclave.id, {});
    assert.equal((await again.stored()).length, 21);
  });

  await check('limits.messages is the bound of all that is at work: 503, memory stays below it', async () => {
    await stopSound(daemon);
    const small = await faults.start({ env: { ENCLAVED_LIMITS_MESSAGES: String(4 << 20) } });
    const ledger = await Ledger.create(small.client);
    faults.arm('sync', { delay: 300 });
    const room = new Process(small);
    const { result, grown } = await room.peak(() => ledger.send(ledger.commits(400, 'z'.repeat(60_000)), 64));
    faults.disarm('sync');
    const { receipts, bad } = sort(result, ...SHORT);
    assert.ok(receipts.length > 0 && bad.length > 0, `${receipts.length} of 400`);
    assert.ok(grown < (48 << 20) * PATIENCE, mib(grown));
    await untilServes(ledger.enclave);
    await ledger.verify();
    console.log(`        ${receipts.length} receipts, ${bad.length} refused, grown by ${mib(grown)}`);
    await stopSound(small);
  }, 60_000);
  await receiver.stop();
});
