#!/usr/bin/env node
// Tree heads, proofs and the closing of bundles on enc-node (protocol.md 6, 7, 8.6).

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import * as ct from './lib/ct.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { Enclave, forum, wall } from './lib/fixtures.mjs';
import { EMPTY_HEX } from './lib/hash.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { verifySmt } from './lib/smt.mjs';
import { sleep, until } from './lib/wait.mjs';

const UNKNOWN = 'ab'.repeat(32);

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  let { client } = daemon;
  const author = newKey();
  const create = (size, timeout, content = wall) =>
    Enclave.create(client, content, { bundle: { size, timeout } });
  const prove = async (enclave, route, members, how) =>
    assertOk(await client.prove(route, enclave.id, members, how)).content;

  async function headOf(enclave) {
    const sth = await client.sth(enclave.id);
    assert.ok(ct.verifySth(sth, client.seqPub), 'signature of the head');
    assert.ok(sth.t <= Date.now() + 1000 && sth.t > Date.now() - 60_000, '39 freshness');
    return sth;
  }

  const grow = async (enclave, n) => {
    const receipts = [];
    for (let i = 0; i < n; i++) receipts.push(await enclave.post(author));
    return receipts;
  };

  const four = await create(4, 0);
  await check('7.3 before the first closed bundle: ts 0, the empty root', async () => {
    const sth = await headOf(four);
    assert.deepEqual([sth.ts, sth.r], [0, EMPTY_HEX]);
    const info = await client.info(four.id);
    assert.deepEqual(info.ct, { ts: 0, r: EMPTY_HEX });
  });
  await check('7.1 a bundle closes with its last event', async () => {
    await grow(four, 2);
    assert.equal((await headOf(four)).ts, 0);
    await grow(four, 1);
    assert.equal((await headOf(four)).ts, 1);
    await grow(four, 8);
    assert.equal((await headOf(four)).ts, 3);
  });
  await check('7.4 the full chain: head, inclusion, bundle, event', async () => {
    const sth = await headOf(four);
    const { events } = assertOk(await client.query(four.id, {})).content;
    for (const { event } of events.slice(0, 12)) {
      const inclusion = await prove(four, 'inclusion', { event_id: event.id });
      assert.ok(ct.verifyInclusion(inclusion, sth));
      const bundle = await prove(four, 'bundle', { event_id: event.id });
      assert.deepEqual([bundle.li, bundle.bundle_index, bundle.bundle_size],
        [inclusion.li, event.seq % 4, 4]);
      assert.equal(bundle.events_root, inclusion.events_root);
      assert.ok(ct.verifyBundle(bundle, inclusion.events_root));
    }
  });
  await check('8.6 inclusion for every smaller tree, by leaf and by event', async () => {
    for (let size = 1; size <= 3; size++) {
      for (let leaf = 0; leaf < size; leaf++) {
        const proof = await prove(four, 'inclusion', { leaf_index: leaf, tree_size: size });
        assert.deepEqual([proof.ts, proof.li], [size, leaf]);
      }
    }
  });
  await check('NOT_BUNDLED while the event is in the open bundle', async () => {
    const [receipt] = await grow(four, 1);
    for (const route of ['inclusion', 'bundle']) {
      const answer = await client.prove(route, four.id, { event_id: receipt.id });
      assertError(answer, 'NOT_BUNDLED');
    }
    await grow(four, 3);
    await prove(four, 'inclusion', { event_id: receipt.id });
    await prove(four, 'bundle', { event_id: receipt.id });
  });
  await check('EVENT_NOT_FOUND for an event that is not in the enclave', async () => {
    for (const route of ['inclusion', 'bundle']) {
      const answer = await client.prove(route, four.id, { event_id: UNKNOWN });
      assertError(answer, 'EVENT_NOT_FOUND');
    }
  });
  await check('36 leaf_index >= tree_size is LEAF_NOT_FOUND, too large a tree INVALID_RANGE',
    async () => {
      const { ts } = await headOf(four);
      for (const [code, members] of [['LEAF_NOT_FOUND', { leaf_index: ts }],
        ['LEAF_NOT_FOUND', { leaf_index: 1, tree_size: 1 }],
        ['LEAF_NOT_FOUND', { leaf_index: 2 ** 53 - 1 }],
        ['INVALID_RANGE', { leaf_index: 0, tree_size: ts + 1 }]]) {
        assertError(await client.prove('inclusion', four.id, members), code);
      }
    });
  await check('37, 38, 96 malformed inclusion requests are INVALID_REQUEST', async () => {
    const { events } = assertOk(await client.query(four.id, {})).content;
    const { id } = events[0].event;
    const bad = [{}, { leaf_index: 0, event_id: id }, { leaf_index: -1 }, { leaf_index: '0' },
      { leaf_index: 0.5 }, { leaf_index: null }, { event_id: 'x' }, { event_id: 1 },
      { event_id: id.slice(2) }, { leaf_index: 0, tree_size: '1' },
      { leaf_index: 0, tree_size: -1 }, { leaf_index: 0, tree_size: null }];
    for (const members of bad) {
      assertError(await client.prove('inclusion', four.id, members), 'INVALID_REQUEST');
    }
  });
  await check('38 malformed bundle and state requests are INVALID_REQUEST', async () => {
    for (const members of [{}, { event_id: 1 }, { event_id: 'x' }, { event_id: null }]) {
      assertError(await client.prove('bundle', four.id, members), 'INVALID_REQUEST');
    }
    for (const members of [{}, { key: UNKNOWN }, { namespace: 'rbac' },
      { namespace: 'kv', key: UNKNOWN }, { namespace: 1, key: UNKNOWN },
      { namespace: 'rbac', key: 'x' }, { namespace: 'rbac', key: UNKNOWN.slice(2) },
      { namespace: 'rbac', key: 1 }]) {
      assertError(await client.prove('state', four.id, members), 'INVALID_REQUEST');
    }
  });
  await check('8.6 proofs in sealed form are the same', async () => {
    const { events } = assertOk(await client.query(four.id, {})).content;
    const { id } = events[0].event;
    for (const [route, members] of [['inclusion', { event_id: id }], ['bundle', { event_id: id }],
      ['state', { namespace: 'rbac', key: four.owner.pub }]]) {
      const clear = await prove(four, route, members);
      assert.deepEqual(await prove(four, route, members, { as: author }), clear);
    }
  });
  await check('8.6 hex in proof requests in either case', async () => {
    const key = four.owner.pub;
    const lower = await prove(four, 'state', { namespace: 'rbac', key });
    const upper = await prove(four, 'state', { namespace: 'rbac', key: key.toUpperCase() });
    assert.deepEqual(upper, lower);
  });

  await check('35 consistency: all pairs verify, p is empty for 0 and equal sizes', async () => {
    await grow(four, 24);
    const { ts } = await headOf(four);
    const roots = [EMPTY_HEX];
    const leaves = [];
    for (let li = 0; li < ts; li++) {
      const { events_root: root, state_hash: state } =
        await prove(four, 'inclusion', { leaf_index: li });
      leaves.push(ct.ctLeaf(root, state));
      roots.push(ct.merkleRoot(leaves));
    }
    assert.equal((await headOf(four)).r, roots[ts]);
    for (let to = 0; to <= ts; to++) {
      for (let from = 0; from <= to; from++) {
        const proof = await client.consistency(four.id, from, to);
        assert.deepEqual([proof.ts1, proof.ts2], [from, to]);
        assert.ok(ct.verifyConsistency(proof, roots[from], roots[to]), `${from} to ${to}`);
        assert.equal(proof.p.length === 0, from === 0 || from === to);
      }
    }
  });
  await check('7.3 heads of a growing log are consistent with each other', async () => {
    let older = await headOf(four);
    for (const n of [4, 8, 1, 3, 20]) {
      await grow(four, n);
      const newer = await headOf(four);
      assert.ok(newer.t >= older.t);
      const proof = await client.consistency(four.id, older.ts);
      assert.equal(proof.ts2, newer.ts);
      assert.ok(ct.verifyConsistency(proof, older.r, newer.r));
      older = newer;
    }
  });
  await check('38 malformed or inverted ranges are INVALID_RANGE', async () => {
    const { ts } = await headOf(four);
    for (const query of ['', '?', '?to=1', '?from=2&to=1', `?from=0&to=${ts + 1}`,
      `?from=${ts + 1}`, '?from=-1', '?from=x', '?from=1.5', '?from=&to=1', '?from=0&to=',
      '?from=0x1', '?from=99999999999999999999999', '?from=1e1', '?from=%20']) {
      const answer = await client.get(`/enclave/${four.id}/consistency${query}`);
      assertError(answer, 'INVALID_RANGE');
    }
  });

  await check('7.1 bundles of one: root is the id, no siblings', async () => {
    const one = await create(1, 0);
    const receipts = [one.receipt, ...await grow(one, 5)];
    const sth = await headOf(one);
    assert.equal(sth.ts, 6);
    for (const [li, { id }] of receipts.entries()) {
      const proof = await prove(one, 'bundle', { event_id: id });
      assert.deepEqual([proof.li, proof.events_root, proof.siblings, proof.bundle_size],
        [li, id, [], 1]);
      assert.ok(ct.verifyInclusion(await prove(one, 'inclusion', { leaf_index: li }), sth));
    }
  });
  await check('7.1 the timer closes a bundle without another commit', async () => {
    const timed = await create(100, 300);
    assert.equal((await headOf(timed)).ts, 0);
    await until(async () => (await client.sth(timed.id)).ts === 1, 'the timer');
    const took = Date.now() - timed.receipt.timestamp;
    assert.ok(took >= 295 && took < 3000, `${took} ms`);
    await sleep(400);
    assert.equal((await headOf(timed)).ts, 1, 'empty bundles never close');
    const [first, second] = await grow(timed, 2);
    await until(async () => (await client.sth(timed.id)).ts === 2, 'the timer again');
    const proofs = [await prove(timed, 'bundle', { event_id: first.id }),
      await prove(timed, 'bundle', { event_id: second.id })];
    assert.deepEqual(proofs.map((p) => [p.li, p.bundle_index, p.bundle_size]),
      [[1, 0, 2], [1, 1, 2]]);
  });
  await check('7.1 timeout 0 never closes by time', async () => {
    const still = await create(100, 0);
    await grow(still, 1);
    await sleep(300);
    assert.equal((await headOf(still)).ts, 0);
  });
  await check('7.1 the timer of a stopped node is made up for at its next start', async () => {
    const timed = await create(100, 600);
    await grow(timed, 2);
    client = await daemon.restart();
    await until(async () => (await client.sth(timed.id)).ts === 1, 'the timer after a restart');
    timed.client = client;
    await grow(timed, 1);
    const sth = await client.sth(timed.id);
    const proof = await prove(timed, 'inclusion', { leaf_index: 0 });
    assert.ok(sth.ts >= 1);
    assert.ok(ct.rootOfPath(ct.ctLeaf(proof.events_root, proof.state_hash), 0, proof.ts, proof.p));
  });
  await check('7.1 Terminate closes the open bundle with itself', async () => {
    const enclave = await create(100, 0);
    await grow(enclave, 2);
    const last = await enclave.add(enclave.owner, 'Terminate');
    assert.equal((await headOf(enclave)).ts, 1);
    const proof = await prove(enclave, 'bundle', { event_id: last.id });
    assert.deepEqual([proof.bundle_index, proof.bundle_size], [3, 4]);
  });

  await check('8.6 state: li is the newest leaf with this state, or null', async () => {
    const enclave = await create(3, 0);
    const state = (key, namespace = 'event_status') => prove(enclave, 'state', { namespace, key });
    assert.equal((await state(enclave.owner.pub, 'rbac')).li, null);
    const [post] = await grow(enclave, 2);
    assert.equal((await state(post.id)).li, 0);
    await grow(enclave, 6);
    assert.equal((await state(post.id)).li, 2);
    await enclave.add(author, 'Update', 'x', { tags: [['r', post.id]] });
    assert.equal((await state(post.id)).li, null);
    await grow(enclave, 2);
    const proof = await state(post.id);
    assert.equal(proof.li, 3);
    const inclusion = await prove(enclave, 'inclusion', { leaf_index: proof.li });
    assert.equal(inclusion.state_hash, proof.state_hash);
    assert.ok(verifySmt(proof, inclusion.state_hash));
    assert.ok(ct.verifyInclusion(inclusion, await headOf(enclave)));
  });
  await check('8.6 state: a state that comes back is that of the older leaf', async () => {
    const enclave = await create(2, 0, forum);
    const [owner, member] = [enclave.owner, newKey()];
    await enclave.post(owner);
    await enclave.grant(member, 'Member');
    await enclave.post(owner);
    const state = () => prove(enclave, 'state', { namespace: 'rbac', key: member.pub });
    assert.equal((await state()).li, 1);
    await enclave.add(owner, 'Revoke', { identity: member.pub, role: 'Member' });
    const proof = await state();
    assert.deepEqual([proof.v, proof.li], [null, 0]);
    const inclusion = await prove(enclave, 'inclusion', { leaf_index: 0 });
    assert.equal(inclusion.state_hash, proof.state_hash);
  });
  await check('5.6, 30 proofs need R on some type; /bundle on the type of the event', async () => {
    const only = (read) => (key) => ({ ...wall(key, { bundle: { size: 1, timeout: 0 } }), RBAC: {
      roles: [], schema: [{ event: 'Post', role: 'Any', ops: ['C'] },
        { event: 'Note', role: 'Any', ops: ['C'] }, ...read],
      initial_state: { Owner: [key.pub] } } });
    const ask = async (enclave, id, as) => {
      const answers = [];
      for (const [route, members] of [['inclusion', { leaf_index: 0 }], ['bundle',
        { event_id: id }], ['state', { namespace: 'rbac', key: id }]]) {
        const answer = await client.prove(route, enclave.id, members, { as });
        answers.push(answer.status === 200 ? 'ok' : assertError(answer, 'UNAUTHORIZED').code);
      }
      return answers.map((code) => code === 'ok');
    };
    const notes = await create(1, 0, only([{ event: 'Note', role: 'Public', ops: ['R'] }]));
    const [post] = await grow(notes, 1);
    const note = await notes.add(author, 'Note', 'x');
    assert.deepEqual(await ask(notes, note.id, null), [true, true, true]);
    assert.deepEqual(await ask(notes, post.id, null), [true, false, true]);
    const own = await create(1, 0, only([{ event: '*', role: 'Self', ops: ['R'] }]));
    const [mine] = await grow(own, 1);
    assert.deepEqual(await ask(own, mine.id, null), [false, false, false]);
    assert.deepEqual((await ask(own, mine.id, author)).filter((_, i) => i !== 1), [false, false]);
    const any = await create(1, 0, only([{ event: '*', role: 'Any', ops: ['R'] }]));
    const [open] = await grow(any, 1);
    assert.deepEqual(await ask(any, open.id, null), [false, false, false]);
    assert.deepEqual(await ask(any, open.id, newKey()), [true, true, true]);
  });
  await check('7.3 heads and proofs are the same after a restart', async () => {
    const before = await headOf(four);
    const proof = await client.consistency(four.id, 3);
    client = await daemon.restart();
    const after = await headOf(four);
    assert.deepEqual([after.ts, after.r], [before.ts, before.r]);
    assert.deepEqual(await client.consistency(four.id, 3), proof);
  });
  assert.equal((await daemon.stop()).code, 0);
});
