#!/usr/bin/env node
// What a Manifest may say, and the life of an enclave (protocol.md 4, clarifications 14-17, 29).

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { makeManifest } from './lib/commit.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { Enclave, forum } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';

const owner = newKey();
const NOT_ON_CURVE = `${'00'.repeat(31)}05`;

const rules = (change) => ({ ...forum(owner), RBAC: { ...forum(owner).RBAC, ...change } });
const roles = (list) => rules({ roles: list, schema: [], initial_state: { Owner: [owner.pub] } });
const rows = (...list) => rules({ schema: list });
const initial = (state) => rules({ initial_state: state });
const bundle = (value) => ({ ...forum(owner), bundle: value });
const numbered = (n) => Array.from({ length: n }, (_, i) => `R${i}`);
const row = (change) => rows({ event: 'Post', role: 'Member', ops: ['C'], ...change });
const grant = (targets) => row({ event: 'Grant', target_roles: targets });
const without = (name) => ({ ...forum(owner), [name]: undefined });

const REFUSED = {
  'content that is no JSON object': ['', 'x', '[]', 'null', '{"enc_v":1,}'],
  'enc_v unknown or of another type': [{ ...forum(owner), enc_v: 3 }, { ...forum(owner), enc_v: 0 },
    { ...forum(owner), enc_v: '1' }, without('enc_v')],
  'no RBAC': [without('RBAC'), { ...forum(owner), RBAC: [] }],
  'no roles, no schema, no initial_state': ['roles', 'schema', 'initial_state'].map(
    (name) => rules({ [name]: undefined })),
  '225 roles': [roles(numbered(225))],
  'a role twice': [roles(['A', 'B', 'A'])],
  'a role name that is no name': ['a', 'A-b', '1A', '', 'Ä', `A${'b'.repeat(32)}`, 1].map(
    (name) => roles([name])),
  'a reserved role name': ['Self', 'Sender', 'Owner', 'Any', 'Public', 'OUTSIDER', '*'].map(
    (name) => roles([name])),
  'a row with an undeclared role': [row({ role: 'Nobody' }), row({ role: 1 }),
    row({ role: undefined })],
  'a row with an unknown op': [row({ ops: ['X'] }), row({ ops: ['c'] }), row({ ops: ['__C'] }),
    row({ ops: 'C' }), row({ ops: [1] }), row({ ops: undefined })],
  'a row without an event': [row({ event: undefined }), row({ event: 1 })],
  'a row that is no object': [rows('x'), rows(null), rules({ schema: {} })],
  'target_roles on another row': [row({ target_roles: ['Member'] })],
  '29 target_roles of unknown roles': [grant(['Nobody']), grant([1]), grant('Member')],
  '29 initial_state of unknown roles': [initial({ Owner: [owner.pub], Nobody: [owner.pub] }),
    initial({ Owner: [owner.pub], Self: [owner.pub] })],
  'no Owner': [initial({}), initial({ Owner: [] }), initial({ Member: [owner.pub] })],
  'an identity that is no key': ['', 'x', owner.pub.slice(2), NOT_ON_CURVE, 1, null].map(
    (name) => initial({ Owner: [owner.pub, name] })),
  'an initial_state that is no map of lists': [initial([]), initial({ Owner: owner.pub })],
  '4097 rows': [rules({ schema: Array(4097).fill({ event: 'A', role: 'Any', ops: [] }) })],
  'bundle.size out of 1-65536': [0, -1, 65_537, 1.5, '4', null].map((size) => bundle({ size })),
  'bundle.timeout out of 0-86,400,000': [-1, 86_400_001, 0.5, '1'].map(
    (timeout) => bundle({ timeout })),
  'a bundle that is no object': [bundle(1), bundle([])],
  'a sequencer that is not this node': [{ ...forum(owner), sequencer: owner.pub },
    { ...forum(owner), sequencer: 1 }],
};

const ACCEPTED = {
  'no roles at all': roles([]),
  '224 roles': roles(numbered(224)),
  'a role name of 32 characters': roles([`A${'b'.repeat(31)}`]),
  'contexts as roles of rows': rows(...['Self', 'Sender', 'Owner', 'Any', 'Public'].map(
    (role) => ({ event: 'Post', role, ops: ['C', '_D'] }))),
  '4096 rows': rules({ schema: Array(4096).fill({ event: 'A', role: 'Any', ops: [] }) }),
  '29 Owner and repeated target_roles': grant(['Owner', 'Member', 'Member']),
  '29 repeated identities': initial({ Owner: [owner.pub, owner.pub], Member: [owner.pub] }),
  'bundle at its lower bounds': bundle({ size: 1, timeout: 0 }),
  'bundle at its upper bounds': bundle({ size: 65_536, timeout: 86_400_000 }),
  'an unknown member': { ...forum(owner), other: { a: 1 } },
};

const LIFECYCLE = ['Pause', 'Resume', 'Terminate', 'Migrate'];

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { client } = daemon;
  const submit = (content) => client.commit(makeManifest(owner, content), '/');
  const status = async ({ id }) => (await client.info(id)).status;

  for (const [name, contents] of Object.entries(REFUSED)) {
    await check(`4.2 INVALID_MANIFEST: ${name}`, async () => {
      for (const content of contents) assertError(await submit(content), 'INVALID_MANIFEST');
    });
  }
  for (const [name, content] of Object.entries(ACCEPTED)) {
    await check(`4.2 accepted: ${name}`, async () => assertOk(await submit(content)));
  }
  await check('4.2 accepted: this node as sequencer', async () => {
    assertOk(await submit({ ...forum(owner), sequencer: client.seqPub }));
  });
  await check('4.2 bundle is 256 events or 5000 ms when nothing is said', async () => {
    for (const [given, expected] of [[undefined, { size: 256, timeout: 5000 }],
      [{ size: 3 }, { size: 3, timeout: 5000 }], [{ timeout: 7 }, { size: 256, timeout: 7 }]]) {
      const manifest = makeManifest(owner, bundle(given));
      await client.accept(manifest);
      assert.deepEqual((await client.info(manifest.enclave)).bundle, expected);
    }
  });

  await check('4.1 paused: only Resume, Terminate and Migrate', async () => {
    const enclave = await Enclave.create(client);
    const member = await enclave.newHolder('Member');
    const before = await enclave.post(member);
    await enclave.add(enclave.owner, 'Pause');
    assert.equal(await status(enclave), 'paused');
    const tries = [[member, 'Post', 'x'], [enclave.owner, 'Pause'], [member, 'Resume'],
      [enclave.owner, 'Grant', { identity: newKey().pub, role: 'Member' }],
      [member, 'Update', 'x', { tags: [['r', before.id]] }]];
    for (const [key, type, content, more] of tries) {
      const expected = type === 'Resume' ? 'UNAUTHORIZED' : 'ENCLAVE_PAUSED';
      assertError(await enclave.tryAdd(key, type, content, more), expected);
    }
    assert.equal((await client.query(enclave.id, {}, { as: member })).status, 200);
    await enclave.add(enclave.owner, 'Resume');
    assert.equal(await status(enclave), 'active');
    await enclave.post(member);
  });
  await check('14, 79 Resume on an active enclave is INVALID_COMMIT, after RBAC', async () => {
    const enclave = await Enclave.create(client);
    assertError(await enclave.tryAdd(enclave.owner, 'Resume'), 'INVALID_COMMIT');
    assertError(await enclave.tryAdd(newKey(), 'Resume'), 'UNAUTHORIZED');
  });
  await check('4.1 terminated is final, reads go on, repeats are DUPLICATE', async () => {
    const enclave = await Enclave.create(client);
    const commit = enclave.make(enclave.owner, 'Post', 'before');
    await client.accept(commit);
    await enclave.add(enclave.owner, 'Pause');
    await enclave.add(enclave.owner, 'Terminate', '{}');
    assert.equal(await status(enclave), 'terminated');
    for (const type of ['Post', 'Resume', 'Terminate', 'Migrate', 'Pause', 'Grant', 'Update']) {
      const more = type === 'Update' ? { tags: [['r', commit.hash]] } : {};
      const answer = await enclave.tryAdd(enclave.owner, type, '{}', more);
      assertError(answer, 'ENCLAVE_TERMINATED');
    }
    assertError(await client.commit(commit), 'DUPLICATE');
    const { content } = await client.query(enclave.id, {}, { as: enclave.owner });
    assert.equal(content.events.length, 4);
    assert.equal((await client.sth(enclave.id)).ts, 1, '7.1 Terminate closes the open bundle');
  });
  await check('15, 16 Migrate: prev_seq and ct_root must be the present ones', async () => {
    const enclave = await Enclave.create(client);
    const next = newKey().pub;
    for (let i = 0; i < 5; i++) await enclave.post(enclave.owner);
    const { seq, ct } = await client.info(enclave.id);
    assert.deepEqual([seq, ct.ts], [5, 1]);
    const right = { new_sequencer: next, prev_seq: seq, ct_root: ct.r };
    const wrong = [{ prev_seq: seq + 1 }, { prev_seq: seq - 1 }, { prev_seq: `${seq}` },
      { ct_root: 'ab'.repeat(32) }, { ct_root: ct.r.slice(2) }, { new_sequencer: 'x' },
      { new_sequencer: undefined }, { prev_seq: undefined }, { ct_root: undefined }];
    for (const change of wrong) {
      const answer = await enclave.tryAdd(enclave.owner, 'Migrate', { ...right, ...change });
      assertError(answer, 'INVALID_CONTENT');
    }
    for (const text of ['', '[]', 'x']) {
      assertError(await enclave.tryAdd(enclave.owner, 'Migrate', text), 'INVALID_CONTENT');
    }
    await enclave.add(enclave.owner, 'Migrate', { ...right, mode: 'ignored' });
    assert.equal(await status(enclave), 'migrated');
    assert.equal((await client.sth(enclave.id)).ts, 2, '7.1 Migrate closes the open bundle');
    const answer = await enclave.tryAdd(enclave.owner, 'Post', 'late');
    assert.equal(assertError(answer, 'ENCLAVE_MIGRATED').new_sequencer, next);
  });
  await check('16 Migrate before any closed bundle names the empty root', async () => {
    const enclave = await Enclave.create(client);
    const { ct } = await client.info(enclave.id);
    assert.equal(ct.r, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    await enclave.add(enclave.owner, 'Migrate',
      { new_sequencer: newKey().pub, prev_seq: 0, ct_root: ct.r });
  });
  await check('17 lifecycle content is "" or a JSON object', async () => {
    const enclave = await Enclave.create(client);
    for (const type of ['Pause', 'Terminate']) {
      for (const text of ['x', '[]', '1', 'null', '"a"', ' ', '{"a":1,"a":2}x']) {
        assertError(await enclave.tryAdd(enclave.owner, type, text), 'INVALID_CONTENT');
      }
    }
    await enclave.add(enclave.owner, 'Pause', { reason: 'unknown members are ignored' });
    assertError(await enclave.tryAdd(enclave.owner, 'Resume', 'x'), 'INVALID_CONTENT');
    await enclave.add(enclave.owner, 'Resume', '{}');
  });
  await check('79 lifecycle by others is UNAUTHORIZED before its content is read', async () => {
    const enclave = await Enclave.create(client);
    for (const type of LIFECYCLE.filter((name) => name !== 'Resume')) {
      assertError(await enclave.tryAdd(newKey(), type, 'x'), 'UNAUTHORIZED');
    }
  });
  await check('the lifecycle survives a restart', async () => {
    const paused = await Enclave.create(client);
    await paused.add(paused.owner, 'Pause');
    const again = await daemon.restart();
    assert.equal((await again.info(paused.id)).status, 'paused');
    const commit = paused.make(paused.owner, 'Post', 'x');
    assertError(await again.commit(commit), 'ENCLAVE_PAUSED');
  });
  assert.equal((await daemon.stop()).code, 0);
});
