#!/usr/bin/env node
// The replayer on logs and answers that are wrong in one place each: it must say which.

import assert from 'node:assert/strict';
import { toHex } from '../wire/lib/bytes.mjs';
import { runSuite } from '../wire/lib/check.mjs';
import { commitHash, makeManifest, signCommit } from '../wire/lib/commit.mjs';
import { finalise } from '../wire/lib/event.mjs';
import { forum } from '../wire/lib/fixtures.mjs';
import { sign } from '../wire/lib/keys.mjs';
import { seededRandom } from '../wire/lib/random.mjs';
import * as scene from '../wire/lib/scene.mjs';
import { Audit } from './audit.mjs';
import { LocalNode } from './local_node.mjs';
import { Replay, ReplayFault } from './log.mjs';
import { Workload } from './workload.mjs';

const { owner, member } = scene;

/** A local node with the scene of scene.mjs played on it. */
function scripted() {
  const node = LocalNode.create(owner, forum(owner, { initial: scene.ROLES }));
  const id = {};
  for (const [name, key, type, content, more] of scene.SCRIPT) {
    id[name] = node.add(key, type, content, scene.tagsOf(more, id)).id;
  }
  return { node, id };
}

function replay(events, seqPub) {
  const run = new Replay(seqPub);
  events.forEach((event) => run.push(event));
  return run.model;
}

function faultOf(body) {
  try {
    body();
  } catch (error) {
    if (error instanceof ReplayFault) return error.code;
    throw error;
  }
  return 'none';
}

const flip = (hex) => hex.slice(0, -1) + (hex.at(-1) === '0' ? '1' : '0');

const rehash = (e) => ({ ...e, hash: toHex(commitHash(e)) });

function otherSig(e) {
  return { ...e, sig: toHex(sign(commitHash(e), member.priv, new Uint8Array(32).fill(1))) };
}

function resign(e, change) {
  const { hash: _, sig: __, ...body } = { ...e, ...change };
  return signCommit(member, body);
}

/* name, complaint, change of one event e; node.key can sign as the sequencer again. */
const CHANGES = [
  ['content', 'INVALID_HASH', (e) => ({ ...e, content: `${e.content} ` })],
  ['type', 'INVALID_HASH', (e) => ({ ...e, type: 'Note', type_seq: 1 })],
  ['tags', 'INVALID_HASH', (e) => ({ ...e, tags: [['a', 'b']] })],
  ['exp', 'INVALID_HASH', (e) => ({ ...e, exp: e.exp + 1 })],
  ['author', 'INVALID_HASH', (e) => ({ ...e, from: owner.pub })],
  ['hash', 'INVALID_HASH', (e) => ({ ...e, hash: flip(e.hash) })],
  ['author and hash', 'INVALID_SIGNATURE', (e) => rehash({ ...e, from: owner.pub })],
  ['sig', 'INVALID_SIGNATURE', (e) => ({ ...e, sig: flip(e.sig) })],
  ['another valid sig', 'BAD_SEQ_SIG', otherSig],
  ['timestamp', 'BAD_SEQ_SIG', (e) => ({ ...e, timestamp: e.timestamp + 1 })],
  ['seq_sig', 'BAD_SEQ_SIG', (e) => ({ ...e, seq_sig: flip(e.seq_sig) })],
  ['id', 'BAD_ID', (e) => ({ ...e, id: flip(e.id) })],
  ['sequencer', 'BAD_SEQUENCER', (e) => finalise(e, owner, e)],
  ['seq', 'BAD_SEQ', (e, node) => finalise(e, node.key, { ...e, seq: e.seq + 1 })],
  ['type_seq', 'BAD_TYPE_SEQ', (e) => ({ ...e, type_seq: e.type_seq + 1 })],
  ['a time that runs back', 'BAD_TIMESTAMP',
    (e, node) => finalise(e, node.key, { ...e, timestamp: e.timestamp - 1e6 })],
  ['a time after exp', 'EXPIRED',
    (e, node) => finalise(e, node.key, { ...e, timestamp: e.exp + 100_000 })],
  ['a time long before exp', 'EXP_TOO_FAR',
    (e, node) => finalise(resign(e, { exp: e.timestamp + 3_600_001 }), node.key, e)],
  ['a lost member', 'BAD_SHAPE', ({ seq_sig: _, ...e }) => e],
];

/* name, complaint, last accepted commit, commit that had to be refused after it. */
const AFTERWARDS = [
  ['a Post while paused', 'ENCLAVE_PAUSED', 'Pause', 'Post'],
  ['a Pause while paused', 'ENCLAVE_PAUSED', 'Pause', 'Pause'],
  ['a Resume after Terminate', 'ENCLAVE_TERMINATED', 'Terminate', 'Resume'],
  ['a Post after Terminate', 'ENCLAVE_TERMINATED', 'Terminate', 'Post'],
];

function spliced(list, ...how) {
  const copy = [...list];
  copy.splice(...how);
  return copy;
}

/* Lists of events out of order. */
const ORDERS = [
  ['a lost event', 'BAD_SEQ', (events, i) => spliced(events, i, 1)],
  ['two events swapped', 'BAD_SEQ',
    (events, i) => spliced(events, i, 2, events[i + 1], events[i])],
  ['an event twice', 'BAD_SEQ', (events, i) => spliced(events, i, 0, events[i])],
  ['no Manifest', 'BAD_SEQ', (events) => events.slice(1)],
];

/* What a lying node says: method, change of its answer, complaint. */
const LIES = [
  ['info', (a) => ({ ...a, state_hash: flip(a.state_hash) }), 'BAD_INFO'],
  ['info', (a) => ({ ...a, seq: a.seq - 1 }), 'BAD_INFO'],
  ['info', (a) => ({ ...a, ct: { ...a.ct, r: flip(a.ct.r) } }), 'BAD_INFO'],
  ['info', (a) => ({ ...a, ct: { ...a.ct, ts: a.ct.ts + 1 } }), 'BAD_BUNDLE'],
  ['sth', (a) => ({ ...a, sig: flip(a.sig) }), 'BAD_STH'],
  ['sth', (a) => ({ ...a, t: a.t + 1 }), 'BAD_STH'],
  ['state', (a) => ({ ...a, v: a.v ? null : '01' }), 'BAD_STATE'],
  ['state', (a) => ({ ...a, s: a.s.map(flip) }), 'BAD_STATE'],
  ['state', (a) => ({ ...a, li: a.li === null ? 0 : null }), 'BAD_STATE'],
  ['bundle', (a) => a && { ...a, bundle_index: a.bundle_index ^ 1 }, 'BAD_BUNDLE'],
  ['bundle', (a) => a && { ...a, siblings: a.siblings.slice(1) }, 'BAD_BUNDLE'],
  ['inclusion', (a) => ({ ...a, state_hash: flip(a.state_hash) }), 'BAD_INCLUSION'],
  ['inclusion', (a) => ({ ...a, p: a.p.map(flip) }), 'BAD_INCLUSION'],
  ['consistency', (a) => ({ ...a, p: [...a.p, a.p[0] ?? '00'] }), 'BAD_CONSISTENCY'],
];

function lying(node, method, change) {
  const liar = Object.create(node);
  const honest = node[method].bind(node);
  liar[method] = (...args) => {
    const answer = honest(...args);
    return answer instanceof Promise ? answer.then(change) : change(answer);
  };
  return liar;
}

function randomNode(random, length) {
  const node = LocalNode.create(owner, forum(owner));
  const workload = Workload.withPeople(random, owner, 7);
  while (node.events.length < length) node.submit(workload.next(node, node.model));
  return node;
}

const elements = ({ model }) => [...model.entries.values()];

/* name, changes of the elements of a Response. */
const ELEMENTS = [
  ['status of a deleted event', (e) => (e.status === 'deleted' ? { ...e, status: 'active' } : e)],
  ['status of an untouched event', (e) => (e.event.seq === 0 ? { ...e, status: 'updated' } : e)],
  ['updated_by', (e) => (e.updated_by ? { ...e, updated_by: e.event.id } : e)],
];

const erase = (e) => (e.status === 'deleted' ? { ...e, event: { ...e.event, content: null } } : e);

await runSuite(async ({ check }) => {
  const node = randomNode(seededRandom(), 150);
  const { node: log, id } = scripted();

  await check('a right random log passes and leads to the same state', () => {
    const model = replay(node.events, node.seqPub);
    assert.equal(model.stateHash, node.model.stateHash);
    assert.equal(model.ctRoot, node.model.ctRoot);
  });
  for (const [name, code, change] of ORDERS) {
    await check(`caught: ${name}`, () =>
      assert.equal(faultOf(() => replay(change(node.events, 60), node.seqPub)), code));
  }
  for (const [name, code, change] of CHANGES) {
    await check(`caught: changed ${name}`, () => {
      const events = [...log.events.slice(0, -1), change(log.events.at(-1), log)];
      assert.equal(faultOf(() => replay(events, log.seqPub)), code);
    });
  }
  for (const [name, code, key, type, content, more] of scene.REFUSALS) {
    await check(`caught: ${name}`, () => {
      const commit = log.make(key, type, content, scene.tagsOf(more, id));
      assert.equal(appended(log, commit), code);
    });
  }
  for (const [name, code, before, after] of AFTERWARDS) {
    await check(`caught: ${name}`, () => {
      const { node: later } = scripted();
      later.add(owner, before);
      assert.equal(appended(later, later.make(owner, after)), code);
    });
  }
  await check('caught: the same commit twice', () => {
    assert.equal(appended(log, log.events.at(-1)), 'DUPLICATE');
  });
  await check('caught: a second Manifest, one of another enclave, one without Owner', () => {
    const again = log.make(owner, 'Manifest', log.events[0].content);
    assert.equal(appended(log, again), 'ENCLAVE_EXISTS');
    const empty = makeManifest(owner, forum(owner, { initial: { Owner: [] } }));
    assert.equal(first(log, empty), 'INVALID_MANIFEST');
    assert.equal(first(log, log.make(owner, 'Manifest', forum(owner))), 'INVALID_MANIFEST');
    assert.equal(first(log, log.make(owner, 'Post', '')), 'ENCLAVE_NOT_FOUND');
  });

  for (const [name, change] of ELEMENTS) {
    await check(`caught: wrong ${name}`, () => {
      const wrong = elements(node).map(erase).map(change);
      assert.equal(faultOf(() => new Replay(node.seqPub).pushAll(wrong)), 'BAD_STATUS');
    });
  }
  await check('erased content is right for deleted events and wrong for others', () => {
    const right = elements(node).map(erase);
    assert.equal(faultOf(() => new Replay(node.seqPub).pushAll(right)), 'none');
    const wrong = elements(log).map(erase).map((e) => (e.event.type !== 'Post' ? e
      : { ...e, event: { ...e.event, content: null } }));
    assert.equal(faultOf(() => new Replay(log.seqPub).pushAll(wrong)), 'BAD_SHAPE');
  });

  await check('an honest node passes the audit', () => new Audit(node, node.model, owner).run());
  for (const [i, [method, change, code]] of LIES.entries()) {
    await check(`caught: lie ${i} of ${method}`, () =>
      assert.rejects(new Audit(lying(node, method, change), node.model, owner).run(), { code }));
  }
});

/** What the replayer says of a log with this commit put at its end by a bad sequencer. */
function appended(node, commit) {
  return faultOf(() => replay([...node.events, node.sequence(commit)], node.seqPub));
}

function first(node, commit) {
  const place = { seq: 0, type_seq: 1, timestamp: commit.exp - 1 };
  return faultOf(() => replay([finalise(commit, node.key, place)], node.seqPub));
}
