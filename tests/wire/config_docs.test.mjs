#!/usr/bin/env node
// What the rows of the configuration print: values with their sources, schema, pages; and that the tree has the newest.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSuite } from './lib/check.mjs';
import { PROGRAM, newFolder } from './lib/process.mjs';

const REPO = fileURLToPath(new URL('../..', import.meta.url));
const ENCCTL = path.join(path.dirname(PROGRAM), 'encctl');

function run(program, args, env = {}) {
  const { status, stdout, stderr } = spawnSync(program, args,
    { env: { ...process.env, ...env }, encoding: 'utf8', timeout: 15_000 });
  return { status, out: stdout, err: stderr };
}

const fileOf = (text) => {
  const file = path.join(newFolder(), 'enclaved.yaml');
  fs.writeFileSync(file, text);
  return file;
};

/** The lines of --print-config as [dotted key, value, source]. */
function valuesOf(text) {
  const groups = [];
  const found = [];
  for (const line of text.trimEnd().split('\n')) {
    const [, indent, name, rest] = line.match(/^( *)([\w-]+):(.*)$/);
    groups.length = indent.length / 2;
    if (rest === '') groups.push(name);
    else {
      const [, value, source] = rest.match(/^ (.*) # (.*)$/);
      found.push([[...groups, name].join('.'), value, source]);
    }
  }
  return found;
}

/** Why value does not fit schema, or null: the part of JSON Schema that ours uses, and no other. */
function misfit(schema, value, where = '') {
  const known = ['type', 'properties', 'additionalProperties', 'items', 'minimum', 'maximum', 'enum',
    'minLength', 'default', 'description', '$schema', 'title'];
  for (const word of Object.keys(schema)) assert.ok(known.includes(word), `${where}: ${word}`);
  const types = { object: (v) => v?.constructor === Object, array: Array.isArray,
    string: (v) => typeof v === 'string', boolean: (v) => typeof v === 'boolean', integer: Number.isInteger,
    number: Number.isFinite };
  if (!types[schema.type](value)) return `${where}: not ${schema.type}`;
  if (schema.enum && !schema.enum.includes(value)) return `${where}: not one of them`;
  if (value < schema.minimum || value > schema.maximum) return `${where}: out of bounds`;
  if (schema.minLength && value.length < schema.minLength) return `${where}: too short`;
  const parts = schema.type === 'object'
    ? Object.entries(value).map(([key, v]) => (key in schema.properties
      ? misfit(schema.properties[key], v, `${where}.${key}`) : `${where}: ${key} unknown`))
    : schema.type === 'array' ? value.map((v, i) => misfit(schema.items, v, `${where}[${i}]`)) : [];
  return parts.find(Boolean) ?? null;
}

/** Dotted key -> schema of every key. */
function keysOf(schema, prefix = '') {
  return Object.entries(schema.properties).flatMap(([name, part]) => (part.properties
    ? keysOf(part, `${prefix}${name}.`) : [[prefix + name, part]]));
}

const nested = (key, value) => key.split('.').reverse().reduce((inner, name) => ({ [name]: inner }), value);

/* page in the tree, who prints it */
const PAGES = [
  ['deploy/configuration.md', PROGRAM, '--print-reference'],
  ['deploy/man/enclaved.8', PROGRAM, '--print-man'],
  ['deploy/man/enclaved.yaml.5', PROGRAM, '--print-man-file'],
  ['deploy/man/encctl.1', ENCCTL, '--print-man'],
];

await runSuite(async ({ check, skip }) => {
  const schema = JSON.parse(run(PROGRAM, ['--print-schema']).out);
  const keys = new Map(keysOf(schema));

  for (const [page, program, flag] of PAGES) {
    await check(`${page} is what ${path.basename(program)} ${flag} prints`, () => {
      const { status, out } = run(program, [flag]);
      assert.equal(status, 0);
      assert.equal(fs.readFileSync(path.join(REPO, page), 'utf8'), out,
        `${page} is old; run deploy/build/pages`);
    });
  }
  const hasMandoc = !spawnSync('mandoc', ['-V']).error;
  for (const [page] of PAGES.filter(([name]) => name.includes('/man/'))) {
    if (!hasMandoc) skip(`mandoc finds nothing in ${page}`, 'no mandoc');
    else await check(`mandoc finds nothing in ${page}`, () => {
      const { out, err } = run('mandoc', ['-T', 'lint', '-W', 'style', path.join(REPO, page)]);
      /* a date would be one more thing to keep up */
      const said = (out + err).split('\n').filter((line) => line && !/missing date|longer than 80/.test(line));
      assert.deepEqual(said, []);
    });
  }
  await check('the schema, the reference, the page, --help and --print-config have the same keys', () => {
    assert.ok(keys.size > 45);
    const sorted = (names) => [...new Set(names)].sort();
    const wanted = sorted(keys.keys());
    const help = run(PROGRAM, ['--help']).out.split('\n')
      .map((line) => line.match(/^ {2}([a-z][a-z_.-]+) /)?.[1]).filter(Boolean);
    const reference = run(PROGRAM, ['--print-reference']).out.split('\n')
      .map((line) => line.match(/^\| `([a-z_.-]+)` /)?.[1]).filter(Boolean);
    const page = run(PROGRAM, ['--print-man-file']).out.split('\n')
      .map((line) => line.match(/^\\fB([a-z_.\\-]+)\\fR/)?.[1].replaceAll('\\', '')).filter(Boolean);
    const values = valuesOf(run(PROGRAM, ['--print-config']).out).map(([key]) => key);
    for (const names of [help, reference, page, values]) assert.deepEqual(sorted(names), wanted);
  });
  await check('every value of the schema is what the program takes, one beyond is not', () => {
    for (const [key, part] of keys) {
      assert.equal(misfit(schema, nested(key, part.default)), null, key);
      if (part.type !== 'integer') continue;
      for (const [value, isGood] of [[part.minimum, true], [part.maximum, true], [part.maximum + 1, false]]) {
        assert.equal(misfit(schema, nested(key, value)) === null, isGood, key);
        const { err } = run(PROGRAM, ['--config', fileOf(`${key}: ${value}\n`), '--check-config']);
        assert.equal(!err.includes('not between'), isGood, `${key}: ${value}: ${err}`);
      }
    }
    assert.match(misfit(schema, { limits: { nonsense: 1 } }), /unknown/);
    assert.match(misfit(schema, { durability: 'maybe' }), /not one of/);
  });
  await check('--print-config names the source of each value', () => {
    const file = fileOf('# mine\nthreads: 3\nlimits:\n  mailbox: 7\n  jobs: 9\nservice: [chat]\nshards: 2\n');
    const { status, out } = run(PROGRAM, ['--print-config', '--config', file, '--threads', '2',
      '--service', 'registry', '--service=timeline'], { ENCLAVED_LIMITS_JOBS: '11', ENCLAVED_SHARDS: '4' });
    assert.equal(status, 0);
    const found = new Map(valuesOf(out).map(([key, value, source]) => [key, [value, source]]));
    assert.deepEqual(found.get('threads'), ['2', 'flag --threads']);
    assert.deepEqual(found.get('limits.mailbox'), ['7', `${file}:4`]);
    assert.deepEqual(found.get('limits.jobs'), ['11', 'environment ENCLAVED_LIMITS_JOBS']);
    assert.deepEqual(found.get('shards'), ['4', 'environment ENCLAVED_SHARDS']);
    assert.deepEqual(found.get('service'), ['["registry", "timeline"]', 'flag --service']);
    assert.deepEqual(found.get('limits.body'), ['1048576', 'default']);
  });
  await check('--print-config is a file that gives the same values', () => {
    const odd = 'a "b\\ #: c';
    const first = run(PROGRAM, ['--print-config', '--data', odd, '--service', 'chat'],
      { ENCLAVED_SERVICES_CHAT_HOSTS: 'a.example,b.example', ENCLAVED_PUSH_CA_FILE: 'ü' }).out;
    const second = run(PROGRAM, ['--print-config', '--config', fileOf(first)]).out;
    const pairs = (text) => valuesOf(text).map(([key, value]) => [key, value]);
    assert.deepEqual(pairs(second), pairs(first));
    assert.ok(valuesOf(second).every(([, , source]) => /enclaved\.yaml:\d+$/.test(source)));
    assert.ok(valuesOf(second).some(([key, value]) => key === 'data' && JSON.parse(value) === odd));
  });
  await check('--print-config reads no key file and prints none', () => {
    const folder = newFolder();
    const secret = 'c0ffee'.repeat(10) + 'abcd';
    fs.writeFileSync(path.join(folder, 'node.key'), secret, { mode: 0o600 });
    const { out } = run(PROGRAM, ['--print-config', '--data', folder, '--key-file', `${folder}/node.key`],
      { ENCLAVED_TLS_KEY: `${folder}/node.key`, ENCLAVED_TLS_CERTIFICATE: 'c.pem' });
    assert.ok(out.includes('node.key') && !out.includes(secret));
  });
  await check('all faults of all sources are told, one line each, in order', () => {
    const file = fileOf('listen: x\nlimits:\n  body: 1\n  nonsense: 2\nthreads: 1\nthreads: 2\n');
    const { status, err } = run(PROGRAM, ['--config', file, '--admin', 'y', '--print-config'],
      { ENCLAVED_LIMITS_JOBS: '0' });
    assert.equal(status, 2);
    assert.deepEqual(err.trimEnd().split('\n'), [
      `enclaved: ${file}:1: listen: not HOST:PORT`,
      `enclaved: ${file}:3: limits.body: not between 1024 and 16777216`,
      `enclaved: ${file}:4: limits.nonsense: unknown key`,
      `enclaved: ${file}:6: threads: given twice`,
      'enclaved: ENCLAVED_LIMITS_JOBS: limits.jobs: not between 1 and 1048576',
      'enclaved: --admin: not HOST:PORT',
    ]);
  });
  await check('a second document is refused, and so is a merge key', () => {
    for (const [text, said] of [['threads: 1\n---\nthreads: 2\n', /:3: *a second document/],
      ['a: &x {body: 2048}\nlimits:\n  <<: *x\n', /:3: limits\.<<: unknown key/]]) {
      const { status, err } = run(PROGRAM, ['--config', fileOf(text), '--check-config']);
      assert.equal(status, 2);
      assert.match(err, said);
    }
  });
});
