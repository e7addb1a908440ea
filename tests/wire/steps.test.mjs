#!/usr/bin/env node
// A refused commit names the step that refused it, on every way in; other errors name none (protocol.md 3, 8.7).

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { runSuite } from './lib/check.mjs';
import { sealedCommit } from './lib/client.mjs';
import { makeManifest, signCommit } from './lib/commit.mjs';
import { CODES, assertError, assertErrorBody } from './lib/errors.mjs';
import { Enclave, refersTo, wall } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { Socket } from './lib/socket.mjs';

const UNKNOWN = 'ab'.repeat(32);
/* They belong to the other services, or are reserved (16.22). */
const NOT_OF_ENC_NODE = ['INVALID_PUSH', 'SCHEMA_MISMATCH', 'NODE_NOT_FOUND', 'IDENTITY_NOT_FOUND',
  'LAST_OWNER', 'PUSH_UNSUPPORTED'];

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { client } = daemon;
  const carrier = newKey();

  /* Each way in gives the body of the answer. */
  const WAYS = {
    'POST to the enclave': async (commit) =>
      (await client.post(`/enclave/${commit.enclave}`, commit)).json,
    'POST /': async (commit) => (await client.post('/', commit)).json,
    'POST / sealed': async (commit) =>
      (await client.post('/', sealedCommit(client.seqPub, commit, carrier).body)).json,
    WebSocket: (commit) => byFrame((socket) => socket.commit(commit)),
    'WebSocket sealed': (commit) => byFrame((socket) => socket.commitSealed(commit, carrier)),
  };

  async function byFrame(send) {
    const socket = await Socket.open(client);
    send(socket);
    const frame = await socket.next();
    await socket.close();
    return frame;
  }

  const enclave = await Enclave.create(client);
  const { owner } = enclave;
  const member = await enclave.newHolder('Member');
  const [post, gone] = [await enclave.post(member), await enclave.post(member)];
  await enclave.add(member, 'Delete', '', refersTo(gone.id));
  const done = enclave.make(member, 'Post', 'once');
  await client.accept(done);
  await enclave.add(owner, 'Gate', { event: 'Note', open: false });
  const ended = await Enclave.create(client, wall);
  await ended.add(ended.owner, 'Terminate', '');

  const at = (ms) => ({ exp: Date.now() + ms });
  const grant = (role, identity = member.pub) => ({ identity, role });
  /* step, code, commit */
  const REFUSALS = [
    [1, 'INVALID_COMMIT', () => ({ ...enclave.make(member, 'Post', 'x'), tags: 'none' })],
    [1, 'INVALID_COMMIT', () => ({ ...enclave.make(member, 'Post', 'x'), sig: 'ab' })],
    [1, 'INVALID_COMMIT', () => enclave.make(member, 'Shared', 'x')],
    [1, 'INVALID_COMMIT', () => enclave.make(member, 'Update', 'x')],
    [1, 'UNSUPPORTED_ALG', () => ({ ...enclave.make(member, 'Post', 'x'), alg: 'ecdsa' })],
    [1, 'TOO_LARGE', () => enclave.make(member, 'Post', 'x'.repeat(262_145))],
    [2, 'EXPIRED', () => enclave.make(member, 'Post', 'x', at(-70_000))],
    [2, 'EXP_TOO_FAR', () => enclave.make(member, 'Post', 'x', at(3_700_000))],
    [3, 'INVALID_HASH', () => ({ ...enclave.make(member, 'Post', 'x'), hash: UNKNOWN })],
    [4, 'INVALID_SIGNATURE', () => ({ ...enclave.make(member, 'Post', 'x'), sig: '00'.repeat(64) })],
    [5, 'DUPLICATE', () => done],
    [6, 'ENCLAVE_NOT_FOUND', () => ({ ...signCommit(member, { enclave: UNKNOWN, from: member.pub,
      type: 'Post', content: '', exp: Date.now(), tags: [] }) })],
    [6, 'ENCLAVE_EXISTS', () => makeManifest(owner, enclave.manifest.content, at(61_000))],
    [6, 'INVALID_MANIFEST', () => makeManifest(owner, '{}')],
    [6, 'ENCLAVE_TERMINATED', () => ended.make(ended.owner, 'Post', 'late')],
    [7, 'UNAUTHORIZED', () => enclave.make(newKey(), 'Post', 'x')],
    [7, 'UNAUTHORIZED', () => enclave.make(member, 'Grant', grant('Admin'))],
    [7, 'GATE_CLOSED', () => enclave.make(member, 'Note', 'x')],
    [8, 'UNAUTHORIZED', () => enclave.make(owner, 'Grant', grant('Owner'))],
    [8, 'INVALID_CONTENT', () => enclave.make(owner, 'Grant', 'not JSON')],
    [8, 'TARGET_LACKS_ROLE', () => enclave.make(owner, 'Revoke', grant('Admin'))],
    [8, 'EVENT_NOT_FOUND', () => enclave.make(newKey(), 'Update', 'x', refersTo(UNKNOWN))],
    [8, 'ALREADY_DELETED', () => enclave.make(member, 'Delete', '', refersTo(gone.id))],
    [8, 'INVALID_CONTENT', () => enclave.make(member, 'Delete', 'odd', refersTo(post.id))],
  ];

  for (const [way, send] of Object.entries(WAYS)) {
    await check(`8.7 the step is named: ${way}`, async () => {
      for (const [step, code, make] of REFUSALS) {
        const body = await send(make());
        assertErrorBody(body, code);
        assert.equal(body.step, step, `${code}: ${JSON.stringify(body)}`);
      }
    });
  }
  await check('8.7 errors of what is no commit name no step', async () => {
    const answers = [
      [await client.post('/', '{'), 'INVALID_REQUEST'],
      [await client.get('/nowhere'), 'INVALID_ROUTE'],
      [await client.query(enclave.id, { nothing: 1 }), 'INVALID_FILTER'],
      [await client.query(UNKNOWN, {}), 'ENCLAVE_NOT_FOUND'],
      [await client.get(`/enclave/${enclave.id}/consistency?from=9`), 'INVALID_RANGE'],
    ];
    answers.forEach(([answer, code]) => assert.ok(!('step' in assertError(answer, code)), code));
  });
  await check('8.7 every code that enc-node can answer is asked for by a test of this folder', () => {
    const folder = new URL('.', import.meta.url);
    const texts = fs.readdirSync(folder).filter((name) => name.endsWith('.test.mjs'))
      .map((name) => fs.readFileSync(new URL(name, folder), 'utf8'));
    const missing = CODES.filter((code) => !NOT_OF_ENC_NODE.includes(code) &&
      !texts.some((text) => text.includes(`'${code}'`)));
    assert.deepEqual(missing, []);
  });
  assert.equal((await daemon.stop()).code, 0);
});
