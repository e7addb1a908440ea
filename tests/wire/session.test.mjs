#!/usr/bin/env node
// Envelopes, sessions and seals on every authenticated path of enc-node (protocol.md 1.5, 8.3).

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { runSuite } from './lib/check.mjs';
import { envelope, sealedCommit, sessionOf } from './lib/client.mjs';
import { makeManifest } from './lib/commit.mjs';
import { assertError, assertErrorBody, assertOk } from './lib/errors.mjs';
import { receiptFault } from './lib/event.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { channel, openJson, seal, sealJson } from './lib/seal.mjs';
import * as session from './lib/session.mjs';
import { Socket } from './lib/socket.mjs';

const UNKNOWN = 'ab'.repeat(32);
const NOT_ON_CURVE = `${'00'.repeat(31)}05`;
const nowS = () => Math.floor(Date.now() / 1000);
const garbage = (n) => Buffer.from(randomBytes(n)).toString('base64');

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { client } = daemon;
  const { seqPub } = client;
  const enclave = await Enclave.create(client);
  const { id } = enclave;
  const member = await enclave.newHolder('Member');
  const post = await enclave.post(member);
  for (let i = 0; i < 4; i++) await enclave.post(member);

  /* Every path that takes a session: type, path, members beside the session. */
  const PATHS = {
    Query: ['Query', '', { filter: {} }],
    Pull: ['Pull', '', { url: 'https://example.org/', push_seq: { start_after: 0 }, limit: 10 }],
    inclusion: ['Query', '/inclusion', { leaf_index: 0 }],
    bundle: ['Query', '/bundle', { event_id: post.id }],
    state: ['Query', '/state', { namespace: 'rbac', key: member.pub }],
  };

  /* The same as frames: the WebSocket answers an Error frame. */
  async function byFrame(body) {
    const socket = await Socket.open(client);
    socket.send({ ...body, sub_id: 's' });
    const frame = await socket.next();
    assert.equal(frame.sub_id, 's');
    await socket.close();
    return frame;
  }

  const ways = [...Object.entries(PATHS).map(([name, [type, action, members]]) => ({ name, type,
    members, send: (body) => client.post(`/enclave/${id}${action}`, body), refuse: assertError })),
  { name: 'WebSocket Query', type: 'Query', members: { filter: {} }, send: byFrame,
    refuse: assertErrorBody }];

  const onEveryPath = (name, body) => ways.forEach((way) =>
    checks.push([`${name}: ${way.name}`, () => body(way)]));
  const checks = [];

  const sealed = (way, how = {}) =>
    envelope(seqPub, way.type, id, way.members, { as: member, ...how }).body;

  /** A request sealed by key to itself, with any token inside. */
  function sealedBy(way, key, from, token, signer = key.pub) {
    const content = sealJson(channel(key.priv, seqPub).query, { session: token, ...way.members });
    return { type: way.type, enclave: id, from, signer, content };
  }

  onEveryPath('46 a session in clear form is INVALID_SESSION, proof or not', async (way) => {
    const proof = session.clearProof(sessionOf(member), seqPub, id);
    for (const members of [proof, { session: proof.session }]) {
      const body = { type: way.type, enclave: id, from: member.pub };
      way.refuse(await way.send({ ...body, content: { ...way.members, ...members } }),
        'INVALID_SESSION');
    }
  });
  onEveryPath('47 some of from, session, at, proof are INVALID_SESSION', async (way) => {
    const { session: token, at, proof } = session.clearProof(sessionOf(member), seqPub, id);
    const clear = { type: way.type, enclave: id };
    const send = (outer, inner) =>
      way.send({ ...clear, ...outer, content: { ...way.members, ...inner } });
    for (const [outer, inner] of [[{ from: member.pub }, {}], [{}, { session: token }],
      [{}, { at }], [{}, { proof }], [{ from: member.pub }, { at, proof }],
      [{}, { session: token, at, proof }]]) {
      way.refuse(await send(outer, inner), 'INVALID_SESSION');
    }
  });
  onEveryPath('1.5 the forged token is refused', async (way) => {
    const victim = enclave.owner.pub;
    const token = session.forgeToken(victim);
    const mine = newKey();
    const derived = session.signerPub(token, seqPub, id);
    way.refuse(await way.send(sealedBy(way, mine, victim, token)), 'INVALID_SESSION');
    way.refuse(await way.send(sealedBy(way, mine, victim, token, derived)), 'DECRYPT_FAILED');
    const clear = { type: way.type, enclave: id, from: victim };
    const at = Date.now();
    const { proof } = session.clearProof(session.makeSession(mine), seqPub, id, at);
    const content = { ...way.members, session: token, at, proof };
    way.refuse(await way.send({ ...clear, content }), 'INVALID_SESSION');
  });
  onEveryPath('1.5 a session of somebody else is INVALID_SESSION', async (way) => {
    const body = sealed(way, { session: session.makeSession(newKey()) });
    way.refuse(await way.send(body), 'INVALID_SESSION');
  });
  onEveryPath('8.3 a signer of another enclave or node is INVALID_SESSION', async (way) => {
    const held = sessionOf(member);
    for (const [node, other] of [[seqPub, UNKNOWN], [member.pub, id]]) {
      const key = session.signerKey(held, node, other);
      way.refuse(await way.send(sealedBy(way, key, member.pub, held.token)), 'INVALID_SESSION');
    }
  });
  onEveryPath('50 expired is SESSION_EXPIRED, beyond two hours INVALID_SESSION', async (way) => {
    const at = (expires) => way.send(sealed(way,
      { session: session.makeSession(member, nowS() + expires) }));
    way.refuse(await at(-61), 'SESSION_EXPIRED');
    way.refuse(await at(7275), 'INVALID_SESSION');
    const expired = session.forgeToken(enclave.owner.pub, nowS() - 100);
    const body = sealedBy(way, newKey(), member.pub, expired);
    way.refuse(await way.send(body), 'SESSION_EXPIRED');
  });
  onEveryPath('48 what does not open is DECRYPT_FAILED', async (way) => {
    const body = sealed(way);
    const { content } = body;
    const bad = ['', 'AAAA', '!', `${content.slice(0, -4)}*===`, content.slice(0, -1),
      ` ${content}`, garbage(39), garbage(40), garbage(200),
      `${content.slice(0, 60)}${content[60] === 'A' ? 'B' : 'A'}${content.slice(61)}`];
    for (const one of bad) {
      way.refuse(await way.send({ ...body, content: one }), 'DECRYPT_FAILED');
    }
    way.refuse(await way.send({ ...body, signer: newKey().pub }), 'DECRYPT_FAILED');
  });
  onEveryPath('48, 90 malformed envelope members are INVALID_QUERY', async (way) => {
    const body = sealed(way);
    const { from: _, ...nobody } = body;
    const { signer: __, ...unsigned } = body;
    const { content: ___, ...empty } = body;
    for (const one of [nobody, unsigned, empty, { ...body, from: 'x' }, { ...body, from: 1 },
      { ...body, signer: 'x' }, { ...body, signer: null }, { ...body, content: 1 },
      { ...body, content: null }, { ...body, content: [] }]) {
      way.refuse(await way.send(one), 'INVALID_QUERY');
    }
  });
  onEveryPath('48 a signer that does not lift is INVALID_SESSION', async (way) => {
    way.refuse(await way.send({ ...sealed(way), signer: NOT_ON_CURVE }), 'INVALID_SESSION');
  });
  onEveryPath('90, 91 no session or one of wrong shape inside is INVALID_SESSION', async (way) => {
    const key = newKey();
    for (const token of [undefined, null, 1, '', 'ab', 'zz'.repeat(68), '00'.repeat(67)]) {
      way.refuse(await way.send(sealedBy(way, key, member.pub, token)), 'INVALID_SESSION');
    }
  });
  onEveryPath('88 strict JSON holds inside the seal', async (way) => {
    const held = sessionOf(member);
    const keys = session.signerChannel(held, seqPub, id);
    const text = JSON.stringify({ session: held.token, ...way.members });
    const deep = '['.repeat(64) + ']'.repeat(64);
    for (const plain of [text.replace('{', '{"a":1,"a":2,'), text.replace('{', `{"a":${deep},`),
      '', 'x', text.slice(1)]) {
      const body = { ...sealed(way), content: seal(keys.query, plain) };
      way.refuse(await way.send(body), 'INVALID_REQUEST');
    }
  });
  for (const [name, body] of checks) await check(name, body);

  await check('91 a malformed enclave in an envelope is INVALID_QUERY', async () => {
    for (const bad of ['x', 1, null, id.slice(2)]) {
      const body = { type: 'Query', enclave: bad, content: { filter: {} } };
      assertError(await client.post('/', body), 'INVALID_QUERY');
      assertErrorBody(await byFrame(body), 'INVALID_QUERY');
    }
  });
  await check('1.5 the window: now < expires + 60, expires <= now + 7260', async () => {
    for (const expires of [-55, 0, 7200, 7255]) {
      const own = session.makeSession(member, nowS() + expires);
      const answer = await client.query(id, {}, { as: member, session: own });
      assert.ok(assertOk(answer).content.events.length > 0);
    }
  });
  await check('8.3 each answer has its own nonce and opens with key_response only', async () => {
    const { body } = envelope(seqPub, 'Query', id, { filter: {} }, { as: member });
    const answers = [await client.post('/', body), await client.post('/', body)];
    const [one, two] = answers.map((answer) => assertOk(answer).json.content);
    assert.notEqual(one.slice(0, 32), two.slice(0, 32));
    const keys = session.signerChannel(sessionOf(member), seqPub, id);
    assert.deepEqual(openJson(keys.response, one), openJson(keys.response, two));
    assert.throws(() => openJson(keys.query, one));
  });
  await check('8.3 from in upper case is the same reader', async () => {
    const { body, open } = envelope(seqPub, 'Query', id, { filter: {} }, { as: member });
    const upper = { ...body, from: body.from.toUpperCase(), signer: body.signer.toUpperCase() };
    assert.ok(open(assertOk(await client.post('/', upper)).json.content).events.length > 0);
  });
  await check('8.3 a stranger with a session is Any, not more', async () => {
    const note = await enclave.add(member, 'Note', 'for all');
    const { content } = assertOk(await client.query(id, {}, { as: newKey() }));
    assert.deepEqual(content.events.map((e) => e.event.id), [note.id]);
  });

  await check('8.3 a sealed Commit is answered with a sealed Receipt', async () => {
    for (const path of ['/', `/enclave/${id}`]) {
      const commit = enclave.make(member, 'Post', `sealed at ${path}`);
      const answer = assertOk(await client.commitSealed(commit, newKey(), path));
      assert.equal(answer.json.type, 'Response');
      assert.equal(receiptFault(answer.content, commit, seqPub), null);
    }
  });
  await check('8.3 a sealed Manifest mints an enclave', async () => {
    const key = newKey();
    const commit = makeManifest(key, wall(key));
    assert.equal(assertOk(await client.commitSealed(commit, key)).content.seq, 0);
  });
  await check('8.3 errors after opening come in clear', async () => {
    const carrier = newKey();
    const commit = enclave.make(newKey(), 'Post', 'no right');
    assertError(await client.commitSealed(commit, carrier), 'UNAUTHORIZED');
    const wrong = { ...enclave.make(member, 'Post', 'x'), sig: '00'.repeat(64) };
    assertError(await client.commitSealed(wrong, carrier), 'INVALID_SIGNATURE');
    const done = enclave.make(member, 'Post', 'twice');
    const receipt = await client.accept(done);
    const again = assertError(await client.commitSealed(done, carrier), 'DUPLICATE');
    assert.deepEqual(again.receipt, receipt);
  });
  await check('49 outer and inner enclave and from must be equal', async () => {
    const commit = enclave.make(member, 'Post', 'inside');
    const carrier = newKey();
    for (const outer of [{ enclave: UNKNOWN }, { from: carrier.pub }]) {
      const { body } = sealedCommit(seqPub, commit, carrier, outer);
      assertError(await client.post('/', body), 'INVALID_REQUEST');
    }
  });
  await check('48, 88 a sealed Commit that does not open, or opens to no commit', async () => {
    const { body } = sealedCommit(seqPub, enclave.make(member, 'Post', 'x'), newKey());
    assertError(await client.post('/', { ...body, content: garbage(100) }), 'DECRYPT_FAILED');
    assertError(await client.post('/', { ...body, signer: newKey().pub }), 'DECRYPT_FAILED');
    assertError(await client.post('/', { ...body, signer: NOT_ON_CURVE }), 'INVALID_SESSION');
    const keys = channel(member.priv, seqPub);
    const opened = (text) => client.post('/',
      { ...body, signer: member.pub, content: seal(keys.query, text) });
    assertError(await opened('not JSON'), 'INVALID_REQUEST');
    assertError(await opened('{"a":1,"a":2}'), 'INVALID_REQUEST');
  });
  assert.equal((await daemon.stop()).code, 0);
});
