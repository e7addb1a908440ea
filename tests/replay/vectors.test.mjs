#!/usr/bin/env node
// The client library on the worked vectors: every value of the file is computed again and compared.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { fromHex, toHex, utf8 } from '../wire/lib/bytes.mjs';
import { runSuite } from '../wire/lib/check.mjs';
import { contentHash, enclaveId, signCommit } from '../wire/lib/commit.mjs';
import * as ct from '../wire/lib/ct.mjs';
import { eventFault, eventHash, finalise, receiptFault, receiptOf } from '../wire/lib/event.mjs';
import { cbor, EMPTY_HEX, hkdf32, sha256 } from '../wire/lib/hash.mjs';
import * as keys from '../wire/lib/keys.mjs';
import { channel, open, pushKey, seal } from '../wire/lib/seal.mjs';
import * as session from '../wire/lib/session.mjs';
import { RBAC, STATUS, Smt, leafHash, smtKey, verifySmt } from '../wire/lib/smt.mjs';
import { Replay } from './log.mjs';

const file = new URL('../vectors/protocol.json', import.meta.url);
const vectors = JSON.parse(fs.readFileSync(file, 'utf8'));

const [owner, member, seq] = ['owner', 'member', 'seq'].map((name) =>
  keys.keyOfSeed(`enc-vector-${name}`));

const sections = {};

sections.keys = () => Object.fromEntries(Object.entries({ owner, member, seq }).flatMap(
  ([name, key]) => [[`${name}_priv`, toHex(key.priv)], [`${name}_pub`, key.pub]]));

/* Inputs as the text of section 13 gives them. */
const grantText = `{"identity":"${member.pub}","role":"Member"}`;
const INPUTS = [
  [owner, 'Manifest', vectors.manifest_content, 1750000060000, [], 1750000000001],
  [owner, 'Grant', grantText, 1750000061000, [], 1750000001001],
  [member, 'Post', 'hello', 1750000062000, [['lang', 'en']], 1750000002001],
  [member, 'Update', 'hello, world', 1750000063000, 'r2', 1750000003001],
  [owner, 'Post', 'second bundle', 1750000064000, [], 1750000009001],
];

function buildEvents() {
  const enclave = enclaveId({ from: owner.pub, content: vectors.manifest_content });
  const events = [];
  for (const [key, type, content, exp, given, timestamp] of INPUTS) {
    const tags = given === 'r2' ? [['r', events[2].id]] : given;
    const commit = signCommit(key, { enclave, from: key.pub, type, content, exp, tags });
    const typeSeq = events.filter((event) => event.type === type).length + 1;
    const place = { seq: events.length, type_seq: typeSeq, timestamp };
    events.push(finalise(commit, seq, place));
  }
  return events;
}

const events = buildEvents();
const enclave = events[0].enclave;
const ids = events.map((event) => event.id);

sections.manifest_content = () => {
  assert.equal(utf8(events[0].content).length, 432);
  return events[0].content;
};

sections.events = () => events.map(({ type_seq: _, ...event }) =>
  ({ ...event, event_hash: toHex(eventHash(event)) }));

const bytes = (hex) => fromHex(hex);

sections.preimages = () => {
  const post = events[2];
  return {
    'commit_hash[2]': toHex(cbor([0x10, bytes(enclave), bytes(post.from), post.type,
      contentHash(post.content), post.exp, post.tags])),
    enclave_id: toHex(cbor([0x12, bytes(owner.pub), 'Manifest',
      contentHash(vectors.manifest_content), []])),
    'event_hash[2]': toHex(cbor([0x11, post.timestamp, post.seq, bytes(seq.pub),
      bytes(post.sig)])),
  };
};

const bitmask = (bit) => (1n << BigInt(bit)).toString(16).padStart(64, '0');

const place = {
  owner: smtKey(RBAC, owner.pub),
  member: smtKey(RBAC, member.pub),
  post: smtKey(STATUS, ids[2]),
  absent: smtKey(RBAC, seq.pub),
};

/** The tree after Manifest, Grant and Update, with the root after each. */
function grownTree() {
  const tree = new Smt();
  const roots = [[place.owner, bitmask(1)], [place.member, bitmask(32)], [place.post, ids[3]]].map(
    ([key, value]) => {
      tree.set(key, value);
      return tree.root;
    });
  return { tree, roots };
}

const { tree, roots } = grownTree();

sections.smt = () => ({
  EMPTY: EMPTY_HEX,
  key_owner: place.owner,
  key_member: place.member,
  key_status_e2: place.post,
  leaf_owner: leafHash(place.owner, bitmask(1)),
  root_after_manifest: roots[0],
  root_after_grant: roots[1],
  root_after_update: roots[2],
  proof_member: tree.prove(place.member),
  proof_absent_seq_pub: tree.prove(place.absent),
});

const bundleIds = [ids.slice(0, 4), ids.slice(4)];
const eventsRoots = bundleIds.map(ct.merkleRoot);
const leaves = eventsRoots.map((root) => ct.ctLeaf(root, roots[2]));

const bundle = (i) => ({ events_root: eventsRoots[i], state_hash: roots[2], ct_leaf: leaves[i] });

sections.bundle0 = () => ({
  ...bundle(0),
  proof_e2: { event_id: ids[2], bundle_index: 2, bundle_size: 4,
    siblings: ct.merklePath(bundleIds[0], 2) },
});

sections.bundle1 = () => bundle(1);

const five = [0, 1, 2, 3, 4].map((i) => toHex(sha256(Uint8Array.of(i))));

sections.merkle5 = () => ({
  note: vectors.merkle5.note,
  root: ct.merkleRoot(five),
  path_of_4: ct.merklePath(five, 4),
  path_of_2: ct.merklePath(five, 2),
  consistency_3_to_5: ct.consistencyPath(five, 3),
  root3: ct.merkleRoot(five.slice(0, 3)),
});

const sthOf = (t, ts) => ct.signSth({ t, ts, r: ct.merkleRoot(leaves.slice(0, ts)) }, seq.priv);

sections.sth1 = () => sthOf(1750000005000, 1);
sections.sth2 = () => sthOf(1750000014001, 2);
sections.inclusion_leaf0_in_2 = () => ct.merklePath(leaves, 0);
sections.consistency_1_2 = () => ct.consistencyPath(leaves, 1);

const EXPIRES = 1750003600;
const own = session.makeSession(member, EXPIRES);
const at = vectors.session.proof.at;
const forged = vectors.session.forged_token_that_passes_equation;

function sessionSection() {
  const v = vectors.session;
  const signer = session.signerKey(own, seq.pub, enclave);
  const keyPair = channel(signer.priv, seq.pub);
  const clear = session.clearProof(own, seq.pub, enclave, at);
  const tweak = keys.scalar(sha256(bytes(own.pub), bytes(seq.pub), bytes(enclave)));
  return {
    expires: own.expires,
    message_hash: toHex(sha256(utf8('enc:session:'), bytes('684eef90'))),
    token: own.token,
    session_priv_even: toHex(keys.scalarBytes(keys.evenScalar(own.priv))),
    session_pub: own.pub,
    t: toHex(keys.scalarBytes(tweak)),
    signer_priv: toHex(signer.priv),
    signer_pub: session.signerPub(own.token, seq.pub, enclave),
    shared_x: toHex(keys.ecdhX(seq.priv, signer.pub)),
    key_query: toHex(keyPair.query),
    key_response: toHex(keyPair.response),
    nonce: v.nonce,
    plaintext: JSON.stringify({ session: own.token, filter: { type: 'Post', limit: 10 } }),
    content_b64: seal(keyPair.query, v.plaintext, bytes(v.nonce)),
    proof: { at, message: proofMessage(), proof: clear.proof },
    forged_token_that_passes_equation: session.forgeToken(owner.pub, EXPIRES),
  };
}

const proofMessage = () => toHex(sha256(utf8('enc:proof:'), bytes(seq.pub), bytes(enclave),
  bytes(at.toString(16).padStart(16, '0'))));

sections.session = sessionSection;

sections.push = () => {
  const shared = keys.ecdhX(seq.priv, member.pub);
  return { shared_x: toHex(shared), key_push: toHex(hkdf32(shared, 'enc:push')) };
};

const flipped = (hex, i = 0) =>
  hex.slice(0, i) + (hex[i] === '0' ? '1' : '0') + hex.slice(i + 1);

await runSuite(async ({ check }) => {
  await check('13 the file has no section that is not computed here', () => {
    assert.deepEqual(Object.keys(vectors).sort(), Object.keys(sections).sort());
  });
  for (const [name, compute] of Object.entries(sections)) {
    await check(`13 ${name}`, () => assert.deepEqual(compute(), vectors[name]));
  }

  await check('2.2, 3 the events verify, their receipts too', () => {
    events.forEach((event) => assert.equal(eventFault(event, seq.pub), null));
    events.forEach((event) =>
      assert.equal(receiptFault(receiptOf(event), event, seq.pub), null));
  });
  await check('2.2, 3 a changed event is told from the right one', () => {
    const faults = Object.entries({ content: 'x', sig: flipped(events[2].sig, 64),
      seq_sig: flipped(events[2].seq_sig, 64), id: flipped(ids[2]), sequencer: owner.pub,
      timestamp: 1 }).map(([name, value]) => eventFault({ ...events[2], [name]: value }, seq.pub));
    assert.deepEqual(faults, ['INVALID_HASH', 'INVALID_SIGNATURE', 'BAD_SEQ_SIG', 'BAD_ID',
      'BAD_SEQUENCER', 'BAD_SEQ_SIG']);
  });
  await check('the replay of the five events leads to the same roots', () => {
    const replay = new Replay(seq.pub);
    events.forEach((event) => replay.push(event));
    assert.equal(replay.model.stateHash, roots[2]);
    assert.deepEqual(replay.model.leaves, leaves.slice(0, 1));
    assert.equal(replay.model.bundleDue(1750000014001), true);
    assert.equal(replay.model.bundleDue(1750000014000), false);
    replay.model.closeBundle();
    assert.equal(replay.model.ctRoot, vectors.sth2.r);
  });

  await check('6.1 state proofs verify, changed ones do not', () => {
    const { proof_member: proof, proof_absent_seq_pub: absent } = vectors.smt;
    assert.ok(verifySmt(proof, roots[2]) && verifySmt(absent, roots[2]));
    assert.ok(!verifySmt(proof, roots[1]) && !verifySmt({ ...proof, v: null }, roots[2]));
    assert.ok(!verifySmt({ ...proof, s: proof.s.slice(1) }, roots[2]));
    assert.ok(!verifySmt({ ...proof, s: [...proof.s, EMPTY_HEX] }, roots[2]));
    assert.ok(!verifySmt({ ...absent, v: bitmask(1) }, roots[2]));
  });
  await check('7.3 tree heads verify under the sequencer only', () => {
    assert.ok(ct.verifySth(vectors.sth1, seq.pub) && ct.verifySth(vectors.sth2, seq.pub));
    assert.ok(!ct.verifySth(vectors.sth1, owner.pub));
    assert.ok(!ct.verifySth({ ...vectors.sth1, ts: 2 }, seq.pub));
  });
  await check('7.4 all paths and consistency proofs of logs up to 17 leaves', () => {
    const all = Array.from({ length: 17 }, (_, i) => toHex(sha256(Uint8Array.of(i))));
    for (let n = 1; n <= all.length; n++) everyProof(all.slice(0, n));
  });

  await check('1.5 session: own token, stranger, window, forged token', () => {
    const nowS = EXPIRES - 100;
    assert.equal(session.tokenFault(own.token, member.pub, nowS), null);
    assert.equal(session.tokenFault(own.token, owner.pub, nowS), 'INVALID_SESSION');
    assert.equal(session.tokenFault(own.token, member.pub, EXPIRES + 59), null);
    assert.equal(session.tokenFault(own.token, member.pub, EXPIRES + 60), 'SESSION_EXPIRED');
    assert.equal(session.tokenFault(own.token, member.pub, EXPIRES - 7261), 'INVALID_SESSION');
    assert.equal(session.tokenFault(forged, owner.pub, nowS), null);
  });
  await check('1.5.1 the proof binds node, enclave and time; the forged token has none', () => {
    const clear = session.clearProof(own, seq.pub, enclave, at);
    assert.ok(session.verifyProof(clear, seq.pub, enclave));
    assert.ok(!session.verifyProof(clear, owner.pub, enclave));
    assert.ok(!session.verifyProof(clear, seq.pub, session.NO_ENCLAVE));
    assert.ok(!session.verifyProof({ ...clear, at: at + 1 }, seq.pub, enclave));
    assert.ok(!session.verifyProof({ ...clear, session: forged }, seq.pub, enclave));
  });
  await check('1.4 seals open with their key and unchanged only', () => {
    const signer = session.signerKey(own, seq.pub, enclave);
    const fromNode = channel(seq.priv, signer.pub);
    const sealed = vectors.session.content_b64;
    assert.equal(open(fromNode.query, sealed), vectors.session.plaintext);
    assert.throws(() => open(fromNode.response, sealed));
    assert.throws(() => open(fromNode.query, `B${sealed.slice(1)}`));
    assert.throws(() => open(fromNode.query, 'AAAA'));
    assert.deepEqual(pushKey(member.priv, seq.pub), pushKey(seq.priv, member.pub));
  });
});

function everyProof(log) {
  const root = ct.merkleRoot(log);
  log.forEach((leaf, i) => {
    const path = ct.merklePath(log, i);
    assert.equal(ct.rootOfPath(leaf, i, log.length, path), root);
    assert.notEqual(ct.rootOfPath(leaf, i, log.length, [...path, leaf]), root);
  });
  for (let m = 0; m <= log.length; m++) {
    const older = ct.merkleRoot(log.slice(0, m));
    const proof = { ts1: m, ts2: log.length, p: ct.consistencyPath(log, m) };
    assert.ok(ct.verifyConsistency(proof, older, root), `${m} to ${log.length}`);
    const wrong = { ...proof, p: [...proof.p, EMPTY_HEX] };
    assert.ok(!ct.verifyConsistency(wrong, older, root), `${m} to ${log.length}`);
    if (m > 0) assert.ok(!ct.verifyConsistency(proof, flipped(older), root));
  }
}
