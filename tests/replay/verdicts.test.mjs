#!/usr/bin/env node
// The corpora of the fuzz targets through the server's readers and through ours: JSON, commits, Manifests and filters
// that guided mutation has found to be different from each other. Verdicts, hashes, masks and matches are the same.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isHex, toHex } from '../wire/lib/bytes.mjs';
import { runSuite } from '../wire/lib/check.mjs';
import { commitHash, enclaveId } from '../wire/lib/commit.mjs';
import { matches } from '../wire/lib/filter.mjs';
import { parseManifest } from '../wire/lib/manifest.mjs';
import { PROGRAM } from '../wire/lib/process.mjs';
import { maskValue } from '../wire/lib/rbac.mjs';

const CORPUS = new URL('../fuzz/corpus/', import.meta.url).pathname;
const VERDICTS = path.join(path.dirname(PROGRAM), 'verdicts');
const DEPTH_MAX = 64;
const CONTENT_MAX = 256;

/* ---- the texts ---- */

function corpus(target) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'enc-verdicts-'));
  execFileSync('tar', ['-xzf', path.join(CORPUS, `${target}.tar.gz`), '-C', folder]);
  const texts = fs.readdirSync(folder).map((name) => fs.readFileSync(path.join(folder, name)));
  fs.rmSync(folder, { recursive: true });
  return texts;
}

/** What the server says of each: a line, or null when it refuses. */
function ask(kind, texts) {
  const input = Buffer.concat(texts.flatMap((text) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(text.length);
    return [head, text];
  }));
  const lines = execFileSync(VERDICTS, [kind], { input, maxBuffer: 1 << 28 }).toString().split('\n');
  assert.equal(lines.length, texts.length + 1);
  return lines.slice(0, -1).map((line) => (line === '-' ? null : line));
}

/* ---- JSON as it must be ---- */

const depth = (value) => (typeof value !== 'object' || value === null ? 0
  : 1 + Object.values(value).reduce((most, one) => Math.max(most, depth(one)), 0));

const members = (value) => (typeof value !== 'object' || value === null ? 0
  : (Array.isArray(value) ? 0 : Object.keys(value).length) +
    Object.values(value).reduce((sum, one) => sum + members(one), 0));

/** Names in the text; JSON.parse keeps only the last of two that are the same. */
const colons = (text) => (text.replace(/"(?:\\.|[^"\\])*"/gs, '').match(/:/g) ?? []).length;

/** The value, or undefined when it is not JSON as bodies have to be. */
function parse(bytes) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(text);
    return depth(value) <= DEPTH_MAX && members(value) === colons(text) ? value : undefined;
  } catch {
    return undefined;
  }
}

/* JavaScript has one kind of number: 1.0, 1e0 and -0 are whole to it, and are not what a commit may write. */
const hasOddNumber = (bytes) => /-0|\d[.eE]/.test(bytes.toString('latin1'));

const isWhole = (value, max = Number.MAX_SAFE_INTEGER) =>
  Number.isInteger(value) && value >= 0 && value <= max;

const isText = (value) => typeof value === 'string' && value.isWellFormed?.() !== false &&
  !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value);

const bytesOf = (value) => Buffer.byteLength(value);

/* ---- verdicts ---- */

const isTag = (tag) => Array.isArray(tag) && tag.length >= 1 && tag.length <= 8 &&
  tag.every((one) => isText(one) && bytesOf(one) <= 1024);

const areTags = (tags) => Array.isArray(tags) && tags.length <= 64 && tags.every(isTag) &&
  tags.flat().reduce((sum, one) => sum + bytesOf(one), 0) <= 8192;

function isCommit(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { hash, enclave, from, type, content, exp, tags = [], alg = 'schnorr', sig } = value;
  return (hash === undefined || isHex(hash, 32)) && isHex(enclave, 32) && isHex(from, 32) &&
    isText(type) && bytesOf(type) <= 64 && isText(content) && bytesOf(content) <= CONTENT_MAX &&
    isWhole(exp) && areTags(tags) && alg === 'schnorr' && isHex(sig, 64);
}

const JUDGES = {
  json: (bytes) => (parse(bytes) === undefined ? null : '+'),

  commit(bytes) {
    const value = parse(bytes);
    return isCommit(value) ? `${toHex(commitHash(value))} ${enclaveId(value)}` : null;
  },

  manifest(bytes) {
    if (parse(bytes) === undefined) return null;
    const seq = JSON.parse(bytes.toString())?.sequencer;
    const manifest = (seq === undefined || isHex(seq, 32)) && parseManifest(bytes.toString(), seq);
    if (!manifest) return null;
    const initial = manifest.initial.map(([pub, mask]) => `${pub}=${maskValue(mask)}`).sort();
    return [manifest.bundle.size, manifest.bundle.timeout, ...initial].join(' ');
  },
};

function compare(kind, texts) {
  const said = ask(kind, texts);
  let compared = 0;
  for (const [i, bytes] of texts.entries()) {
    if (kind !== 'json' && hasOddNumber(bytes)) continue;
    assert.equal(said[i], JUDGES[kind](bytes), `${kind} ${i}: ${bytes.toString('latin1')}`);
    compared++;
  }
  return { compared, taken: said.filter((line) => line !== null).length };
}

/* ---- filters: the library takes good ones only ---- */

const TAGS = [['lang', 'en'], ['r'], ['lang', 'de', 'en'], ['r', 'x']];
const SETS = [[], TAGS.slice(0, 1), TAGS.slice(1, 3), TAGS];
const STATUSES = ['active', 'updated', 'deleted'];

const eventOf = (i) => ({ id: toHex(new Uint8Array(32).fill((i * 0x11) & 0xff)), seq: i, timestamp: 1000 + (i >> 1),
  from: (i % 2 ? 'aa' : 'bb').repeat(32), type: ['Post', 'Like', 'Update'][i % 3], tags: SETS[i % 4] });

const digit = (filter, event) => STATUSES.reduce(
  (sum, status, at) => sum + (matches({ event, status }, filter) ? 1 << at : 0), 0);

const EVENTS = Array.from({ length: 12 }, (_, i) => eventOf(i));

function compareFilters(texts) {
  const said = ask('filter', texts);
  let compared = 0;
  for (const [i, bytes] of texts.entries()) {
    if (said[i] === null) continue;
    const filter = parse(bytes);
    assert.notEqual(filter, undefined);
    assert.equal(said[i], EVENTS.map((event) => digit(filter, event)).join(''), bytes.toString());
    compared++;
  }
  return { compared, taken: compared };
}

runSuite(async ({ check }) => {
  const KINDS = { json: ['json', 'commit', 'manifest', 'filter', 'body'], commit: ['commit', 'body'], manifest: ['manifest'] };
  for (const [kind, targets] of Object.entries(KINDS)) {
    await check(`${kind}: every text of the corpora has the same verdict`, () => {
      const { compared, taken } = compare(kind, targets.flatMap(corpus));
      console.log(`  ${compared} texts, ${taken} taken`);
      assert.ok(compared >= 300 && taken >= 5, `${compared}, ${taken}`);
    });
  }
  await check('filters: each takes the same events', () => {
    const { compared } = compareFilters(corpus('filter'));
    console.log(`  ${compared} filters`);
    assert.ok(compared >= 80, `${compared}`);
  });
});
