#!/usr/bin/env node
// The chat service: fixed schema, opaque content, groups made by the node (protocol.md 11.4, 11.6).

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { enclaveId, makeCommit, makeManifest, nonce } from './lib/commit.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { eventFault } from './lib/event.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { clearProof, forgeToken, makeSession, NO_ENCLAVE } from './lib/session.mjs';
import { Socket } from './lib/socket.mjs';

const CIPHERTEXT = 'AAECAwQFBgcICQ==';

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { client } = daemon;
  const chat = {
    seqPub: client.seqPub,
    get: (path) => client.get(`/chat${path}`),
    post: (path, body) => client.post(`/chat${path}`, body),
  };
  const [alice, bob, carol, dave] = [newKey(), newKey(), newKey(), newKey()];

  const proofOf = (key, enclave = NO_ENCLAVE) => clearProof(makeSession(key), chat.seqPub, enclave);
  const createGroup = (key, more = {}) => chat.post('/api/create-group', {
    creator: key.pub, name: 'Climbers', members: [bob.pub, carol.pub], ...proofOf(key), ...more });
  const read = (key, enclave, filter = {}) => chat.post(`/group/${enclave}`, {
    type: 'Query', enclave, from: key.pub, content: { filter, ...proofOf(key, enclave) } });
  const say = (key, enclave, text = CIPHERTEXT, type = 'Message', more = {}) =>
    chat.post(`/enclave/${enclave}`, makeCommit(key, enclave, type, text, more));

  let group;
  await check('11.6 create-group: 201 with a Manifest that the node signed', async () => {
    const answer = await createGroup(alice);
    assert.equal(answer.status, 201);
    group = answer.json.group;
    const { enclave, manifest, receipt, seq_pub: seqPub } = answer.json;
    assert.deepEqual([enclave, seqPub, manifest.from], [group, chat.seqPub, chat.seqPub]);
    assert.equal(eventFault(manifest, seqPub), null);
    assert.equal(enclaveId(manifest), group);
    assert.deepEqual([receipt.seq, receipt.id], [0, manifest.id]);
    const { RBAC, meta } = JSON.parse(manifest.content);
    assert.deepEqual(RBAC.initial_state, {
      Owner: [alice.pub], Admin: [alice.pub], Member: [alice.pub, bob.pub, carol.pub] });
    assert.equal(meta.name, 'Climbers');
  });
  await check('11.4 the five client writes and Mls by those whose role permits', async () => {
    for (const type of ['Message', 'Reaction', 'Profile', 'Read', 'Mls']) {
      assertOk(await say(bob, group, CIPHERTEXT, type));
    }
    assertOk(await say(alice, group, 'Rope length', 'Topic'));
    assertError(await say(bob, group, 'x', 'Topic'), 'UNAUTHORIZED');
    assertError(await say(dave, group), 'UNAUTHORIZED');
    assertError(await say(bob, group, 'x', 'Post'), 'UNAUTHORIZED');
  });
  await check('11.4 members read everything, others and the public nothing', async () => {
    const all = assertOk(await read(carol, group)).json.content.events;
    assert.equal(all.length, 7);
    assert.equal(all[1].event.content, CIPHERTEXT);
    assert.deepEqual(assertOk(await read(dave, group)).json.content.events, []);
    const nobody = await chat.post(`/group/${group}`,
      { type: 'Query', enclave: group, content: { filter: {} } });
    assert.deepEqual(assertOk(nobody).json.content.events, []);
  });
  await check('11.6 members are lower-cased and deduplicated, creator first (76)', async () => {
    const answer = await createGroup(alice, {
      members: [bob.pub.toUpperCase(), alice.pub, bob.pub, carol.pub] });
    const { RBAC } = JSON.parse(answer.json.manifest.content);
    assert.deepEqual(RBAC.initial_state.Member, [alice.pub, bob.pub, carol.pub]);
  });
  await check('11.6 bad members are INVALID_REQUEST (76, 99)', async () => {
    const offCurve = 'ff'.repeat(32);
    for (const members of ['x', 7, null, [7], ['ab'], [offCurve], [null], {}]) {
      assertError(await createGroup(alice, { members }), 'INVALID_REQUEST');
    }
    for (const name of [undefined, 7, null]) {
      assertError(await createGroup(alice, { name }), 'INVALID_REQUEST');
    }
    for (const creator of [undefined, 'ab', offCurve]) {
      assertError(await createGroup(alice, { creator }), 'INVALID_REQUEST');
    }
  });
  await check('11.6 session and proof must be the creator\'s (77)', async () => {
    const none = { session: undefined, at: undefined, proof: undefined };
    assertError(await createGroup(alice, none), 'INVALID_SESSION');
    for (const name of Object.keys(none)) {
      assertError(await createGroup(alice, { [name]: undefined }), 'INVALID_SESSION');
    }
    assertError(await createGroup(alice, proofOf(bob)), 'INVALID_SESSION');
    assertError(await createGroup(alice, proofOf(alice, group)), 'INVALID_SESSION');
    assertError(await createGroup(alice, { session: forgeToken(alice.pub) }), 'INVALID_SESSION');
  });

  await check('11.6 _bootstrap for an owner, with meta and a nonce', async () => {
    const body = { owner: dave.pub, meta: { app: 'x' }, ...proofOf(dave) };
    for (const path of ['/_bootstrap', '/enclave/x/_bootstrap']) {
      const answer = await chat.post(path, body);
      assert.equal(answer.status, 201);
      const content = JSON.parse(answer.json.manifest.content);
      assert.deepEqual(content.RBAC.initial_state, { Owner: [dave.pub] });
      assert.equal(content.meta.app, 'x');
      assert.match(content.meta.nonce, /^[0-9a-f]{32}$/);
    }
    assertError(await chat.post('/_bootstrap', { ...body, owner: alice.pub }), 'INVALID_SESSION');
    assertError(await chat.post('/_bootstrap', { ...body, meta: 7 }), 'INVALID_REQUEST');
    assertError(await chat.post('/_bootstrap', '[]'), 'INVALID_REQUEST');
  });
  await check('11.6 a client-signed Manifest through _bootstrap answers as POST / (75)', async () => {
    const made = await createGroup(alice);
    const content = JSON.parse(made.json.manifest.content);
    const manifest = makeManifest(alice, { ...content, meta: { nonce: nonce() } });
    const answer = await chat.post('/_bootstrap', manifest);
    assert.equal(assertOk(answer).json.type, 'Receipt');
    assertError(await chat.post('/_bootstrap', manifest), 'DUPLICATE');
  });
  await check('4.2 any other schema is SCHEMA_MISMATCH', async () => {
    const made = await createGroup(alice);
    const content = JSON.parse(made.json.manifest.content);
    const changes = [
      (rbac) => rbac.schema.pop(),
      (rbac) => rbac.schema.reverse(),
      (rbac) => rbac.roles.push('Guest'),
      (rbac) => rbac.schema.push({ event: 'Post', role: 'Member', ops: ['C'] }),
    ];
    for (const change of changes) {
      const wrong = structuredClone(content);
      change(wrong.RBAC);
      const manifest = makeManifest(alice, { ...wrong, meta: { nonce: nonce() } });
      assertError(await chat.post('/', manifest), 'SCHEMA_MISMATCH');
    }
  });
  await check('55, 97 an enclave lives on the service that sequenced it', async () => {
    assertError(await client.get(`/enclave/${group}/sth`), 'ENCLAVE_NOT_FOUND');
    assertOk(await chat.get(`/enclave/${group}/sth`));
    assertOk(await chat.get(`/group/${group}/info/enclave`));
  });
  await check('32 Grant with endpoint and Grant_Push are PUSH_UNSUPPORTED', async () => {
    const grant = { identity: dave.pub, role: 'Member', endpoint: 'https://example.org/x' };
    assertError(await say(alice, group, JSON.stringify(grant), 'Grant'), 'PUSH_UNSUPPORTED');
    assertError(await say(alice, group, JSON.stringify(grant), 'Grant_Push'), 'PUSH_UNSUPPORTED');
    assert.deepEqual(assertOk(await read(dave, group)).json.content.events, []);
  });
  await check('8.2 routes of other services are not here', async () => {
    assertError(await chat.get(`/enclave/${group}/consistency?from=0`), 'INVALID_ROUTE');
    assertError(await chat.post(`/enclave/${group}/bundle`, {}), 'INVALID_ROUTE');
    assertError(await chat.get('/api/create-group'), 'METHOD_NOT_ALLOWED');
    assertError(await client.post('/api/create-group', {}), 'INVALID_ROUTE');
    assertError(await client.post('/_bootstrap', {}), 'INVALID_ROUTE');
  });
  await check('9.5 membership changes reach open subscriptions at once', async () => {
    const socket = await Socket.open(client, `/chat/group/${group}`);
    const live = socket.subscribe('live', { type: 'Query', enclave: group, from: carol.pub,
      content: { filter: { type: 'Topic' }, ...proofOf(carol, group) } });
    while ((await live.next()).type !== 'EOSE');
    assertOk(await say(alice, group,
      JSON.stringify({ identity: carol.pub, role: 'Member' }), 'Revoke'));
    assert.equal((await live.next()).reason, 'access_revoked');
    await socket.close();
  });
  await check('11.4 a member may leave', async () => {
    const leave = JSON.stringify({ identity: bob.pub, role: 'Member' });
    assertOk(await say(bob, group, leave, 'Revoke'));
    assertError(await say(bob, group), 'UNAUTHORIZED');
  });
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});
