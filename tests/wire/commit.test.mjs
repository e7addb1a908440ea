#!/usr/bin/env node
// Commits and Manifests: steps 1 to 6 of the pipeline on enc-node (protocol.md 2, 4).

import assert from 'node:assert/strict';
import { toHex } from './lib/bytes.mjs';
import { runSuite } from './lib/check.mjs';
import { commitHash, makeCommit, makeManifest, signCommit } from './lib/commit.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { eventOf, receiptFault } from './lib/event.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { newKey, sign } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';

const UNKNOWN = 'ab'.repeat(32);
const NOT_ON_CURVE = `${'00'.repeat(31)}05`;
const MAX_SAFE = 2 ** 53 - 1;

const text65 = 'T'.repeat(65);
const nested = [[['k', 'v']]];

/* member, values that step 1 refuses; undefined = left out */
const STRUCTURE = {
  enclave: [undefined, null, 1, '', 'zz', UNKNOWN.slice(2)],
  from: [undefined, null, 1, '', UNKNOWN.slice(1), NOT_ON_CURVE, 'ff'.repeat(32)],
  type: [undefined, null, 1, '', '1a', 'a b', 'a/b', 'ä', '_a', text65, ['Post']],
  content: [undefined, null, 1, true, {}, []],
  exp: [null, '1', true, -1, 1.5, 2 ** 53, 1e300, [], {}],
  tags: [null, 1, 'x', {}, [1], ['x'], [[]], [[1]], [[null]], nested],
  sig: [undefined, null, 1, '', 'ab', 'zz'.repeat(64), 'ab'.repeat(63)],
  hash: [null, 1, '', 'ab', 'zz'.repeat(32)],
};

const shown = (values) =>
  values.map((value) => JSON.stringify(value) ?? 'absent').join(', ').slice(0, 60);

function replaced(commit, name, value) {
  const changed = { ...commit, [name]: value };
  if (value === undefined) delete changed[name];
  return JSON.stringify(changed);
}

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  let { client } = daemon;
  const enclave = await Enclave.create(client, wall);
  const { id, owner } = enclave;
  const author = newKey();
  const make = (content, more) => makeCommit(author, id, 'Post', content, more);
  const post = (body) => client.post('/', body);
  const refuse = async (code, body) => assertError(await post(body), code);
  const accept = async (body) => assertOk(await post(body)).json;

  for (const [name, values] of Object.entries(STRUCTURE)) {
    await check(`2.1 ${name}: ${shown(values)} are INVALID_COMMIT`, async () => {
      for (const value of values) await refuse('INVALID_COMMIT', replaced(make('x'), name, value));
    });
  }
  await check('5 exp in another notation is INVALID_COMMIT', async () => {
    const commit = make('notation');
    const exps = [`${commit.exp}.0`, `${commit.exp}e0`, '1e12', '9007199254740992', '-0.5', '-1'];
    for (const exp of exps) {
      await refuse('INVALID_COMMIT', JSON.stringify(commit).replace(`${commit.exp}`, exp));
    }
  });
  await check('2.1 a tag of 9 strings is refused, of 8 accepted', async () => {
    const nine = [Array(9).fill('x')];
    const answer = await post(make('nine', { tags: nine }));
    assert.ok(['INVALID_COMMIT', 'TOO_LARGE'].includes(answer.json.code), answer.text);
    await accept(make('eight', { tags: [Array(8).fill('x')] }));
  });
  await check('93 lone surrogates in content, tags and type are INVALID_COMMIT', async () => {
    for (const escape of ['\\ud800', '\\udc00', '\\ud800x', '\\udc00\\ud800']) {
      const commit = JSON.stringify(make('MARK', { tags: [['k', 'v']] }));
      await refuse('INVALID_COMMIT', commit.replace('MARK', escape));
      await refuse('INVALID_COMMIT', commit.replace('"v"', `"${escape}"`));
      await refuse('INVALID_COMMIT', commit.replace('"Post"', `"${escape}"`));
    }
  });
  await check('2.1 pairs, U+0000, escapes and any UTF-8 are content as they are', async () => {
    const texts = ['\u{1f600} a\u0000b', '', '\u0000', '"\\/\b\f\n\r\t', '\uffff', 'e\u0301'];
    for (const text of texts) {
      const commit = make(text, { tags: [['k', text || 'x']] });
      const receipt = await accept(commit);
      assert.equal(receiptFault(receipt, commit, client.seqPub), null);
      const { content: { events } } = await client.query(id, { id: receipt.id });
      assert.deepEqual(events[0].event, { ...eventOf(commit, receipt), type: 'Post' });
    }
    const escaped = JSON.stringify(make('pair \u{1f601} slash /'));
    await accept(escaped.replace('\u{1f601}', '\\ud83d\\ude01').replace('slash /', 'slash \\/'));
  });
  await check('2.1 unknown members are ignored, alg schnorr is known', async () => {
    await accept({ ...make('more'), nonce: 1, extra: { a: [null] }, alg: 'schnorr' });
  });
  await check('1.1 any other alg is UNSUPPORTED_ALG', async () => {
    for (const alg of ['ecdsa', 'Schnorr', '']) {
      await refuse('UNSUPPORTED_ALG', { ...make('alg'), alg });
    }
  });
  await check('2.1 hex in upper case is accepted and comes back in lower case', async () => {
    const commit = make('case');
    const upper = { ...commit };
    for (const name of ['hash', 'enclave', 'from', 'sig']) upper[name] = commit[name].toUpperCase();
    const receipt = await accept(upper);
    for (const name of ['hash', 'enclave', 'sig']) assert.equal(receipt[name], commit[name]);
    assert.equal(receiptFault(receipt, commit, client.seqPub), null);
  });
  await check('2.1 without hash the node computes it', async () => {
    const { hash, ...commit } = make('no hash');
    assert.equal((await accept(commit)).hash, hash);
  });
  await check('INVALID_HASH', async () => {
    await refuse('INVALID_HASH', { ...make('hash'), hash: UNKNOWN });
    await refuse('INVALID_HASH', { ...make('hash'), content: 'other' });
    await refuse('INVALID_HASH', { ...make('hash'), tags: [['a']] });
  });
  await check('INVALID_SIGNATURE', async () => {
    const commit = make('signed');
    const { sig } = makeCommit(newKey(), id, 'Post', 'signed', { exp: commit.exp });
    await refuse('INVALID_SIGNATURE', { ...commit, sig });
    await refuse('INVALID_SIGNATURE', { ...commit, sig: '00'.repeat(64) });
    await refuse('INVALID_SIGNATURE', { ...commit, sig: 'ff'.repeat(64) });
    const { hash: _, ...bare } = commit;
    await refuse('INVALID_SIGNATURE', { ...bare, content: 'no hash given' });
  });
  await check('11 a signature with another nonce is as good', async () => {
    const body = make('nonce');
    const sig = toHex(sign(commitHash(body), author.priv, new Uint8Array(32).fill(7)));
    assert.notEqual(sig, body.sig);
    assert.equal((await accept({ ...body, sig })).sig, sig);
  });

  await check('2.3 exp: EXPIRED below now - 60 s, EXP_TOO_FAR above now + 3600 s', async () => {
    const at = (delta) => make(`exp ${delta}`, { exp: Date.now() + delta });
    await accept(at(-55_000));
    await accept(at(3_598_000));
    await refuse('EXPIRED', at(-61_000));
    await refuse('EXP_TOO_FAR', at(3_605_000));
    await refuse('EXPIRED', make('zero', { exp: 0 }));
    await refuse('EXP_TOO_FAR', make('max', { exp: MAX_SAFE }));
  });
  await check('3 the steps are taken in their order', async () => {
    const old = { exp: 1 };
    await refuse('INVALID_COMMIT', replaced(make('order', old), 'sig', 'ab'));
    await refuse('EXPIRED', { ...make('order', old), hash: UNKNOWN });
    await refuse('INVALID_HASH', { ...make('order'), hash: UNKNOWN, sig: '00'.repeat(64) });
    const elsewhere = makeCommit(author, UNKNOWN, 'Post', 'order');
    await refuse('INVALID_SIGNATURE', { ...elsewhere, sig: '00'.repeat(64) });
    await refuse('ENCLAVE_NOT_FOUND', elsewhere);
    await refuse('INVALID_COMMIT', makeCommit(author, UNKNOWN, 'Shared', 'order'));
  });
  await check('19 Shared, Own and Transfer are INVALID_COMMIT', async () => {
    for (const type of ['Shared', 'Own', 'Transfer']) {
      await refuse('INVALID_COMMIT', makeCommit(owner, id, type, '{}'));
    }
  });
  await check('2.3 a repeat is DUPLICATE with the stored receipt', async () => {
    const commit = make('again');
    const receipt = await accept(commit);
    for (let i = 0; i < 3; i++) {
      assert.deepEqual((await refuse('DUPLICATE', commit)).receipt, receipt);
    }
    const sig = toHex(sign(commitHash(commit), author.priv, new Uint8Array(32).fill(7)));
    assert.deepEqual((await refuse('DUPLICATE', { ...commit, sig })).receipt, receipt);
    await accept({ ...signCommit(author, { ...commit, hash: undefined, exp: commit.exp + 1 }) });
  });
  await check('2.3 of equal commits sent at once one is accepted', async () => {
    const commit = make('race');
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(commit)));
    const [winner, ...more] = answers.filter((answer) => answer.status === 200);
    assert.equal(more.length, 0);
    for (const answer of answers.filter((one) => one !== winner)) {
      assert.deepEqual(assertError(answer, 'DUPLICATE').receipt, winner.json);
    }
  });

  await check('3 seq, type_seq and timestamps count up, receipts verify', async () => {
    const before = await client.info(id);
    const commits = ['a', 'b', 'c'].map((text) => make(`count ${text}`));
    let last = null;
    for (const commit of commits) {
      const receipt = await accept(commit);
      assert.equal(receiptFault(receipt, commit, client.seqPub), null);
      assert.equal(receipt.seq, (last?.seq ?? before.seq) + 1);
      if (last) assert.equal(receipt.type_seq, last.type_seq + 1);
      if (last) assert.ok(receipt.timestamp >= last.timestamp);
      last = receipt;
    }
  });
  await check('1, 2 Manifest: DUPLICATE when equal, ENCLAVE_EXISTS when not', async () => {
    const { manifest, receipt } = enclave;
    assert.deepEqual((await refuse('DUPLICATE', manifest)).receipt, receipt);
    const later = makeManifest(owner, manifest.content, { exp: manifest.exp + 1 });
    assert.equal(later.enclave, id);
    await refuse('ENCLAVE_EXISTS', later);
    await refuse('INVALID_SIGNATURE', { ...later, sig: '00'.repeat(64) });
  });
  await check('3 a Manifest whose enclave is not the derived id is INVALID_MANIFEST', async () => {
    await refuse('INVALID_MANIFEST', makeCommit(owner, UNKNOWN, 'Manifest', wall(owner)));
    await refuse('INVALID_MANIFEST',
      signCommit(owner, { ...makeManifest(newKey(), wall(owner)), hash: undefined,
        from: owner.pub }));
  });
  await check('4.2 tags are part of the id, exp is not', async () => {
    const content = JSON.stringify(wall(owner));
    const ids = [[], [['a', 'b']], [['a', 'c']]].map(
      (tags) => makeManifest(owner, content, { tags }));
    assert.equal(new Set(ids.map((commit) => commit.enclave)).size, 3);
    for (const commit of ids) assert.equal((await accept(commit)).seq, 0);
  });
  await check('4.2 a Manifest may be authored by anyone', async () => {
    const manifest = makeManifest(newKey(), wall(owner));
    await accept(manifest);
    const state = await client.prove('state', manifest.enclave,
      { namespace: 'rbac', key: manifest.from });
    assert.equal(state.content.v, null);
  });
  await check('2.3 duplicates are known after a restart', async () => {
    const commit = make('before the restart');
    const receipt = await accept(commit);
    client = await daemon.restart();
    assert.deepEqual((await refuse('DUPLICATE', commit)).receipt, receipt);
    assert.deepEqual((await refuse('DUPLICATE', enclave.manifest)).receipt, enclave.receipt);
    assert.equal((await accept(make('after it'))).seq, receipt.seq + 1);
  });
  assert.equal((await daemon.stop()).code, 0);
});
