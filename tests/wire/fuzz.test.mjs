#!/usr/bin/env node
// Requests and frames that went wrong in every way: each gets an answer of the catalogue, no more.

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { envelope, sealedCommit, sessionOf } from './lib/client.mjs';
import { assertErrorBody } from './lib/errors.mjs';
import { Enclave, forum, refersTo } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { newKey } from './lib/keys.mjs';
import { makeManifest, signCommit } from './lib/commit.mjs';
import { Daemon } from './lib/process.mjs';
import { seededRandom } from './lib/random.mjs';
import { seal } from './lib/seal.mjs';
import { clearProof, signerChannel } from './lib/session.mjs';
import { Socket } from './lib/socket.mjs';
import { mapWide, sleep } from './lib/wait.mjs';
import { auditNode } from '../replay/audit.mjs';

const REQUESTS = 1500;
const FRAMES = 600;
const WIDTH = 8;

const ODD = [null, true, false, 0, -1, 1, 1.5, 1e308, 2 ** 53, '', 'x', '0', '\u0000', '😀', [],
  {}, [[]], [null], { a: 1 }, 'ab'.repeat(32), 'AB'.repeat(32), '00'.repeat(32), 'ff'.repeat(32),
  '00'.repeat(64), 'ff'.repeat(68), 'A'.repeat(80), 'x'.repeat(70_000), '*', 'Manifest', 'Query'];

const copy = (value) => JSON.parse(JSON.stringify(value));

/** Every object or list inside value, value first. */
function inside(value) {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(inside)];
}

/** Put an odd value in place of a member, or take one away, or add one. */
function bend(random, value) {
  const bent = copy(value);
  const place = random.pick(inside(bent));
  const names = Object.keys(place);
  const name = names.length > 0 && random.chance(90) ? random.pick(names) : 'odd';
  if (random.chance(25)) delete place[name];
  else place[name] = copy(random.pick(ODD));
  return bent;
}

/** Change bytes of a text as no JSON writer would. */
function scratch(random, text) {
  const bytes = Buffer.from(text);
  const at = random.below(bytes.length + 1);
  const more = Buffer.from([random.below(256)]);
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  const again = text.slice(0, random.below(40));
  const rest = tail.subarray(1);
  return random.pick([head, Buffer.concat([head, more, tail]), Buffer.concat([head, rest]),
    Buffer.concat([head, more, rest]), Buffer.concat([head, Buffer.from(again), tail])]);
}

function assertAnswer({ status, json, text, headers }) {
  assert.notEqual(status, 500, text);
  assert.ok(json && typeof json === 'object', `${status} ${text}`);
  assert.equal(headers['access-control-allow-origin'], '*');
  if (status !== 200) assertErrorBody(json, json.code);
}

await runSuite(async ({ check }) => {
  const random = seededRandom();
  const daemon = await Daemon.start();
  const { client } = daemon;
  const { seqPub } = client;
  const enclave = await Enclave.create(client);
  const { id, owner } = enclave;
  const reader = newKey();
  const post = await enclave.post(owner);

  const CONTENTS = [{ filter: { id: post.id, seq: { start_at: 0 }, tags: { k: ['v'] }, limit: 9 } },
    { url: 'https://example.org/', push_seq: { start_after: 0 }, limit: 3 }, { leaf_index: 0 },
    { event_id: post.id }, { namespace: 'rbac', key: owner.pub }];

  const COMMITS = [() => enclave.make(owner, 'Post', 'x', { tags: [['k', 'v'], ['l']] }),
    () => enclave.make(owner, 'Update', 'x', refersTo(post.id)),
    () => enclave.make(owner, 'Grant', { identity: reader.pub, role: 'Member' }),
    () => enclave.make(owner, 'AC_Bundle', { operations: [{ type: 'Force_Move',
      identity: reader.pub, to: 'Member' }] }),
    () => makeManifest(owner, forum(owner))];

  const query = (as) => envelope(seqPub, random.pick(['Query', 'Pull']), id,
    random.pick(CONTENTS), { as }).body;

  /** A sealed envelope around a text that is bent or scratched. */
  function sealedOdd() {
    const session = sessionOf(reader);
    const { body } = envelope(seqPub, 'Query', id, {}, { as: reader });
    const plain = { session: session.token, ...random.pick(CONTENTS) };
    const text = random.chance(50) ? JSON.stringify(bend(random, plain))
      : scratch(random, JSON.stringify(plain));
    return { ...body, content: seal(signerChannel(session, seqPub, id).query, text) };
  }

  /** A commit whose content or members are bent and which is signed all the same. */
  function signedOdd() {
    const { hash: _, sig: __, ...commit } = random.pick(COMMITS)();
    const parsed = commit.content.startsWith('{') ? JSON.parse(commit.content) : null;
    if (parsed) {
      return signCommit(owner, { ...commit, content: JSON.stringify(bend(random, parsed)) });
    }
    const type = random.pick(['Gate', 'Move', 'Revoke', 'Migrate', 'Delete', 'Force_Move', 'Odd']);
    return signCommit(owner, { ...commit, type, content: JSON.stringify(random.pick(ODD)) });
  }

  const SOURCES = {
    clear: () => bend(random, query(null)),
    proof: () => bend(random, { ...query(null), from: reader.pub,
      content: { ...random.pick(CONTENTS), ...clearProof(sessionOf(reader), seqPub, id) } }),
    sealed: () => bend(random, query(reader)),
    sealedOdd,
    commit: () => bend(random, random.pick(COMMITS)()),
    signedOdd,
    sealedCommit: () => bend(random, sealedCommit(seqPub, random.pick(COMMITS)(), reader).body),
    close: () => bend(random, { type: 'Close', sub_id: 's' }),
  };

  function oddBody() {
    const body = JSON.stringify(SOURCES[random.pick(Object.keys(SOURCES))]());
    return random.chance(25) ? scratch(random, body) : body;
  }

  const PATHS = ['/', `/enclave/${id}`, `/${id}`, `/enclave/${id}/inclusion`,
    `/enclave/${id}/bundle`, `/enclave/${id}/state`];

  await check(`${REQUESTS} odd bodies`, async () => {
    await mapWide(Array(REQUESTS).fill(0), WIDTH, async () => {
      assertAnswer(await client.post(random.pick(PATHS), oddBody()));
    });
  }, 60_000);
  await check('odd paths and query strings', async () => {
    const parts = ['enclave', id, id.slice(1), 'sth', 'info', 'node', 'consistency', 'state', '..',
      '.', '%2e', '%00', '%', '%zz', '~', '\u00e9'.repeat(3), 'x'.repeat(900), ''];
    const ends = ['', '?', '?from=1', '?from=0&to=0', '?from=0&from=1', '?to', '?from=%30', '?=&&=',
      `?${'a=b&'.repeat(500)}`];
    await mapWide(Array(400).fill(0), WIDTH, async () => {
      const path = Array.from({ length: 1 + random.below(4) }, () => random.pick(parts)).join('/');
      const target = encodeURI(`/${path}`).replaceAll('%25', '%') + random.pick(ends);
      const method = random.pick(['GET', 'POST', 'PUT', 'DELETE']);
      const answer = await request(method, client.url, target, method === 'GET' ? undefined : '{}');
      assert.ok(answer.status < 500, `${method} ${target}: ${answer.status}`);
    });
  });
  await check(`${FRAMES} odd frames on one socket after another`, async () => {
    let socket = await Socket.open(client);
    for (let i = 0; i < FRAMES; i++) {
      if (socket.closed) socket = await Socket.open(client);
      const body = oddBody();
      const isText = typeof body === 'string';
      socket.raw.send(body, { binary: isText ? false : random.chance(30) });
      if (i % 20 === 0) await sleep(10);
    }
    await sleep(300);
    for (const frame of socket.order) {
      if (frame.type === 'Error') assertErrorBody(frame, frame.code);
      assert.notEqual(frame.code, 'INTERNAL_ERROR');
    }
    socket.terminate();
  }, 60_000);
  await check('the node is well and its log is right', async () => {
    const fresh = await Enclave.create(client);
    await fresh.post(fresh.owner);
    const log = await auditNode(client, id, owner, 30).catch((error) => error);
    assert.ok(!(log instanceof Error), log.stack);
    const odd = daemon.lines.filter(({ level }) => !['debug', 'info'].includes(level));
    assert.deepEqual(odd, []);
  }, 60_000);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});
