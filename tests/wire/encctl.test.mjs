#!/usr/bin/env node
// encctl: every command at a real node, refusals, misuse, and logs that lie (server.md, encctl).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSuite } from './lib/check.mjs';
import { ENCCTL, encctl, liar, start } from './lib/encctl.mjs';
import { Daemon, newFolder } from './lib/process.mjs';

const REPO = fileURLToPath(new URL('../..', import.meta.url));
const ALL = '{"status":["active","updated","deleted"]}';
const HEX = /^[0-9a-f]{64}$/;
const UNKNOWN = 'ab'.repeat(32);

const row = (event, role, ops) => ({ event, role, ops });

function manifest(owner, read = row('*', 'Public', ['R']), bundle = { size: 4, timeout: 0 }) {
  const schema = [row('Post', 'Owner', ['C']), row('Post', 'Self', ['U', 'D']), read,
    row('Grant', 'Owner', ['C']), row('Terminate', 'Owner', ['C'])];
  return { enc_v: 1, RBAC: { roles: ['Member'], schema, initial_state: { Owner: [owner] } }, bundle,
    meta: { nonce: Math.random().toString(16) } };
}

/** A folder with a key, and shorthands for commands that use it. */
class Desk {
  constructor(url) {
    this.url = url;
    this.folder = newFolder();
    this.key = path.join(this.folder, 'key');
  }

  file(name, content) {
    const file = path.join(this.folder, name);
    fs.writeFileSync(file, content);
    return file;
  }

  run = (...words) => encctl(this.url, ...words);

  /** With the key and --json; must succeed; the JSON lines. */
  async must(...words) {
    const done = await encctl(this.url, '--key', this.key, '--json', ...words);
    assert.equal(done.code, 0, `${words.join(' ')}: ${done.err}`);
    return done.lines;
  }

  async open() {
    assert.equal((await this.run('keygen', this.key)).code, 0);
    [{ pub: this.pub }] = await this.must('pubkey');
    return this;
  }

  async create(...rules) {
    const file = this.file('manifest.json', JSON.stringify(manifest(this.pub, ...rules)));
    const [receipt] = await this.must('create', '--manifest', file);
    return receipt.enclave;
  }

  async fill(id, count) {
    const lines = Array.from({ length: count }, (_, i) =>
      JSON.stringify({ type: 'Post', content: `line ${i} "é" \\`, tags: [['n', `${i}`]] }));
    return this.must('commit', id, '--batch', this.file('lines', lines.join('\n')));
  }
}

/** A verification that must fail: what it says. */
async function fault(url, id, ...words) {
  const done = await encctl(url, '--json', 'verify', id, ...words);
  assert.equal(done.code, 1, `verified: ${done.out}`);
  const said = done.lines.at(-1);
  assert.equal(said.ok, false);
  return [said.fault, said.seq];
}

const isLog = (json) => Array.isArray(json.content?.events);
const withEvents = (change) => (json) => {
  if (isLog(json)) change(json.content.events);
};
const flip = (hex) => (hex[0] === '0' ? '1' : '0') + hex.slice(1);
const swap = (list, a, b) => ([list[a], list[b]] = [list[b], list[a]]);

/** What a liar does to the log of 9 events in bundles of 4, and what verify has to call it. */
const LIES = {
  'changed content': [withEvents((e) => (e[3].event.content += '!')), 'hash', 3],
  'changed tag': [withEvents((e) => (e[3].event.tags = [['n', '77']])), 'hash', 3],
  'dropped event': [withEvents((e) => e.splice(4, 1)), 'seq', 4],
  'dropped end': [withEvents((e) => e.splice(7)), 'head_size', 2, 'seq', 7],
  'dropped last event': [withEvents((e) => e.splice(8)), 'seq', 8],
  'reordered events': [withEvents((e) => swap(e, 5, 6)), 'seq', 5],
  'renumbered after a drop': [withEvents((e) => e.splice(2, 1).length &&
    e.forEach(({ event }, i) => (event.seq = i))), 'seq_sig', 2],
  'forged sig': [withEvents((e) => (e[6].event.sig = flip(e[6].event.sig))), 'sig', 6],
  'forged seq_sig': [withEvents((e) => (e[6].event.seq_sig = flip(e[6].event.seq_sig))),
    'seq_sig', 6],
  'forged id': [withEvents((e) => (e[6].event.id = flip(e[6].event.id))), 'id', 6],
  'another sequencer': [withEvents((e) => (e[6].event.sequencer = e[6].event.from)),
    'sequencer', 6],
  'wrong type_seq': [withEvents((e) => e[6].event.type_seq++), 'type_seq', 6],
  'backdated event': [withEvents((e) => e[6].event.timestamp--), 'seq_sig', 6],
  'content withheld': [withEvents((e) => (e[6].event.content = null)), 'erased', 6],
  'invented status': [withEvents((e) => (e[6].status = 'deleted') &&
    (e[6].deleted_by = e[2].event.id)), 'status', 6],
  'no event at all': [withEvents((e) => (e[4].event = { seq: 4 })), 'malformed', 4],
  'wrong root': [(json) => void (json.r && json.ts && (json.r = flip(json.r))), 'head_sig', 2],
  'wrong size': [(json) => void (json.ts && (json.ts += 5)), 'head_size', 7],
  'wrong state_hash': [(json, at) =>
    void (at.endsWith('/info/enclave') && (json.state_hash = flip(json.state_hash))),
    'state_hash', 8],
  'wrong inclusion proof': [(json, at) =>
    void (at.endsWith('/inclusion') && (json.content.p[0] = flip(json.content.p[0]))),
    'inclusion', 0],
};

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const desk = await new Desk(daemon.url).open();
  const { run } = desk;
  const id = await desk.create();

  /* ---- keys ---- */

  await check('matrix prints the seed\'s eight rows, a column for each service', async () => {
    const rows = (await run('--json', 'matrix')).lines;
    const column = (name) => rows.map((row) => row[name]);
    assert.deepEqual(column('row'), ['schema', 'hasDataView', 'hasPush', 'hasBootstrap',
      'addressing', 'encrypted', 'extraRoutes', 'reads (GET)']);
    assert.deepEqual(column('enc-node'), ['dynamic', '✗', '✓', '✗', 'perReq 1', '✓', '2', '0']);
    assert.deepEqual(column('registry'), ['static', '✓', '✗', '✗', 'singleton', '✗', '6', '5']);
    assert.deepEqual(column('chat'), ['static', '✗', '✗', '✓', 'perReq 1', '✗', '0', '0']);
    assert.deepEqual(column('timeline'), ['static', '✓', '✗', '✓', 'perReq 1', '✗', '8', '7']);
    const text = (await run('matrix')).out.trimEnd().split('\n').slice(1)
      .map((line) => line.slice(16).trim().split(/ {2,}/));
    const names = Object.keys(rows[0]).filter((name) => name !== 'row');
    assert.deepEqual(text, rows.map((row) => names.map((name) => row[name])));
  });
  await check('keygen writes 0600, says the public key, refuses to overwrite', async () => {
    const file = path.join(desk.folder, 'second');
    const made = await run('--json', 'keygen', file);
    assert.equal(made.code, 0);
    assert.match(made.lines[0].pub, HEX);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    const before = fs.readFileSync(file);
    assert.equal((await run('keygen', file)).code, 1);
    assert.deepEqual(fs.readFileSync(file), before);
    assert.equal((await run('--json', 'pubkey', file)).lines[0].pub, made.lines[0].pub);
  });
  await check('a key file that others may read, or that is none, is refused', async () => {
    const file = path.join(desk.folder, 'open');
    fs.copyFileSync(desk.key, file);
    fs.chmodSync(file, 0o644);
    assert.equal((await run('--key', file, 'pubkey')).code, 2);
    fs.writeFileSync(file, 'no key');
    fs.chmodSync(file, 0o600);
    assert.equal((await run('pubkey', file)).code, 1);
    assert.equal((await run('--key', path.join(desk.folder, 'absent'), 'pubkey')).code, 2);
  });

  /* ---- commits and reads ---- */

  await check('create, commit with tags, content from stdin and from a file', async () => {
    const [one] = await desk.must('commit', id, 'Post', 'hello', '--tag', 'lang=en', '--tag', 'k=');
    assert.deepEqual([one.type, one.seq, one.type_seq], ['Receipt', 1, 1]);
    const [two] = await desk.must('commit', id, 'Post', '-', { input: 'from\nstdin' });
    const [three] = await desk.must('commit', id, 'Post', `@${desk.file('text', 'from a file')}`);
    const got = await desk.must('query', id, '--filter', '{"seq":{"start_at":1}}');
    assert.deepEqual(got.map(({ event }) => event.content),
      ['hello', 'from\nstdin', 'from a file']);
    assert.deepEqual(got[0].event.tags, [['lang', 'en'], ['k', '']]);
    assert.deepEqual([two.seq, three.seq], [2, 3]);
  });
  await check('people get aligned lines, and no control characters', async () => {
    await desk.must('commit', id, 'Post', 'bell\u0007 and \u001b[2J escape');
    const shown = await run('query', id, '--filter', '{"seq":4}');
    assert.equal(shown.code, 0);
    assert.match(shown.out, /^ {5}4 {2}\d{4}-\d\d-\d\d .*bell {2}and {2}\[2J escape\n$/);
  });
  await check('a batch keeps the order of its lines, and many pages come whole', async () => {
    const many = await desk.create();
    const receipts = await desk.fill(many, 250);
    assert.deepEqual(receipts.map((r) => r.seq), Array.from({ length: 250 }, (_, i) => i + 1));
    const got = await desk.must('query', many, '--all', '--filter', '{"limit":7,"type":"Post"}');
    assert.deepEqual(got.map(({ event }) => event.tags[0][1]),
      Array.from({ length: 250 }, (_, i) => `${i}`));
    const back = await run('--json', 'query', many, '--all', '--filter',
      '{"limit":9,"reverse":true,"seq":{"start_at":20,"end_at":60}}');
    assert.deepEqual(back.lines.map(({ event }) => event.seq),
      Array.from({ length: 41 }, (_, i) => 60 - i));
    const page = await run('--json', 'query', many, '--filter', '{"limit":7}');
    assert.equal(page.lines.length, 7);
    assert.match(page.err, /--all/);
  });
  await check('a batch reads a slow pipe and answers while it waits', async () => {
    const job = start(ENCCTL, ['--url', daemon.url, '--key', desk.key, '--json', 'commit', id,
      '--stdin-ndjson'], { input: null });
    job.child.stdin.write('{"type":"Post","content":"one"}\n\n{"type":"Po');
    while (!job.got.out.includes('\n')) await new Promise((resolve) => setTimeout(resolve, 20));
    job.child.stdin.end('st","content":"two"}');
    const done = await job.ended;
    assert.equal(done.code, 0, done.err);
    assert.equal(done.lines.length, 2);
  });
  await check('a batch tells which lines were refused or are none, with status 1', async () => {
    const lines = ['{"type":"Post","content":"a"}', '{"type":"Nope","content":"b"}',
      '{"type":"Post","content":"c"}'].join('\n');
    const done = await run('--key', desk.key, '--json', 'commit', id, '--batch', '-',
      { input: lines });
    assert.equal(done.code, 1);
    assert.deepEqual(done.lines.map((line) => line.code ?? line.type),
      ['Receipt', 'UNAUTHORIZED', 'Receipt']);
    assert.match(done.err, /line 2: UNAUTHORIZED/);
    const bad = await run('--key', desk.key, 'commit', id, '--batch', '-', { input: 'x\n' });
    assert.equal(bad.code, 1);
    assert.match(bad.err, /line 1 is no/);
  });
  await check('refusals of the node: status 1, code on stderr, the Error as JSON', async () => {
    const asked = [['commit', id, 'Nope', 'x'], ['commit', UNKNOWN, 'Post', 'x'],
      ['query', id, '--filter', '{"bogus":1}'], ['info', UNKNOWN], ['sth', UNKNOWN],
      ['verify', UNKNOWN]];
    const codes = ['UNAUTHORIZED', 'ENCLAVE_NOT_FOUND', 'INVALID_FILTER', 'ENCLAVE_NOT_FOUND',
      'ENCLAVE_NOT_FOUND', 'ENCLAVE_NOT_FOUND'];
    for (const [i, words] of asked.entries()) {
      const done = await run('--key', desk.key, '--json', ...words);
      assert.equal(done.code, 1, words.join(' '));
      assert.equal(done.lines[0].code, codes[i], done.out);
      assert.ok(done.err.includes(codes[i]));
    }
    assert.equal((await encctl('http://127.0.0.1:1', 'info')).code, 1);
  });
  await check('misuse: status 2 and a word why', async () => {
    const wrong = [[], ['nothing'], ['query'], ['query', 'xyz'], ['query', id, 'more'],
      ['query', id, '--filter', 'x'], ['query', id, '--bogus'], ['query', id, '--count', '3'],
      ['commit', id, 'Post'], ['commit', id, 'Post', 'x'], ['create'], ['state', id],
      ['state', id, UNKNOWN, '--namespace', 'x'], ['tail', id, '--count', '0'], ['verify'],
      ['sth', id, '--sequencer', 'x'], ['fsck', desk.folder], ['query', id, '--filter']];
    for (const words of wrong) {
      const done = await run(...words);
      assert.equal(done.code, 2, words.join(' '));
      assert.match(done.err, /^encctl: /, words.join(' '));
    }
    for (const words of [['commit', id, 'Post', 'x', '--tag', 'novalue'],
      ['commit', id, '9', 'x'], ['commit', id, 'Update', 'x']])
      assert.equal((await run('--key', desk.key, ...words)).code, 2, words.join(' '));
  });
  await check('help and version', async () => {
    const help = await run('--help');
    assert.equal(help.code, 0);
    for (const name of ['keygen', 'pubkey', 'create', 'commit', 'query', 'tail', 'sth', 'state',
      'verify', 'info', 'fsck']) assert.match(help.out, new RegExp(`^ {2}${name} `, 'm'));
    assert.match((await run('verify', '--help')).out, /--remember/);
    assert.match((await run('--version')).out, /^encctl \d/);
  });
  await check('sth and state are verified before they are told', async () => {
    const [sth] = await desk.must('sth', id);
    assert.ok(sth.ts >= 1);
    const [state] = await desk.must('state', id, desk.pub);
    assert.equal(BigInt(`0x${state.v}`), 2n);
    const shown = await run('--key', desk.key, 'state', id, desk.pub);
    assert.match(shown.out, /^roles +Owner$/m);
    assert.match((await run('state', id, UNKNOWN)).out, /^roles +none$/m);
    assert.match((await run('state', id, UNKNOWN, '--namespace', 'event_status')).out, /active/);
    const forged = await liar(daemon.url, (json) => void (json.r && (json.r = flip(json.r))));
    assert.equal((await encctl(forged.url, 'sth', id)).code, 1);
    const wrong = await liar(daemon.url, (json) =>
      void (json.content?.k && (json.content.v = UNKNOWN)));
    assert.equal((await encctl(wrong.url, 'state', id, desk.pub)).code, 1);
    const other = await liar(daemon.url, (json) =>
      void (json.content?.k && (json.content.k = flip(json.content.k))));
    assert.equal((await encctl(other.url, 'state', id, desk.pub)).code, 1);
    assert.equal((await run('sth', id, '--sequencer', UNKNOWN)).code, 1);
    [forged, wrong, other].forEach((proxy) => proxy.close());
  });
  await check('a Receipt that lies is not believed', async () => {
    const proxy = await liar(daemon.url, (json, at) => {
      if (at === '/info/node') json.services['enc-node'].encrypted = false;
      if (json.type === 'Receipt') json.seq++;
    });
    const done = await encctl(proxy.url, '--key', desk.key, 'commit', id, 'Post', 'x');
    assert.equal(done.code, 1);
    assert.match(done.err, /Receipt lies/);
    proxy.close();
  });
  await check('info of node and enclave', async () => {
    const [node] = await desk.must('info');
    assert.match(node.seq_pub, HEX);
    const [enclave] = await desk.must('info', id);
    assert.equal(enclave.enclave, id);
    assert.match((await run('info', id)).out, /^status +active$/m);
  });

  /* ---- tail ---- */

  await check('tail: stored events, then live ones, in order, --count ends it', async () => {
    const live = await desk.create();
    await desk.fill(live, 3);
    for (const key of [[], ['--key', desk.key]]) {
      const job = start(ENCCTL, ['--url', daemon.url, ...key, 'tail', live, '--filter',
        '{"type":"Post","seq":{"start_at":1}}', '--count', '5']);
      while (!job.got.err.includes('live')) await new Promise((go) => setTimeout(go, 20));
      await desk.fill(live, 2);
      const done = await job.ended;
      assert.equal(done.code, 0, done.err);
      const seqs = done.out.trim().split('\n').map((line) => Number(line.trim().split(' ')[0]));
      assert.deepEqual(seqs, [1, 2, 3, 4, 5]);
      if (key.length === 0) await desk.must('query', live);
    }
  });
  await check('tail: Ctrl-C is a clean end, a closed subscription is told', async () => {
    const live = await desk.create();
    const job = start(ENCCTL, ['--url', daemon.url, '--json', 'tail', live]);
    while (!job.got.out.includes('\n')) await new Promise((go) => setTimeout(go, 20));
    job.child.kill('SIGINT');
    const done = await job.ended;
    assert.deepEqual([done.code, done.signal], [0, null]);
    assert.equal(done.lines[0].event.type, 'Manifest');
    const last = start(ENCCTL, ['--url', daemon.url, '--json', 'tail', live]);
    while (!last.got.out.includes('\n')) await new Promise((go) => setTimeout(go, 20));
    await desk.must('commit', live, 'Terminate', '');
    const ended = await last.ended;
    assert.equal(ended.code, 1);
    assert.match(ended.err, /enclave_terminated/);
    assert.equal((await run('tail', UNKNOWN)).code, 1);
  });

  /* ---- verify ---- */

  const log = await desk.create();
  await desk.fill(log, 8);

  await check('verify: a true log, with and without key, remembered heads', async () => {
    const heads = path.join(desk.folder, 'heads');
    const [said] = await desk.must('verify', log, '--remember', heads);
    assert.deepEqual([said.ok, said.events, said.bundles, said.open], [true, 9, 2, 1]);
    const open = await run('--json', 'verify', log, '--remember', heads);
    assert.equal(open.code, 0, open.out + open.err);
    assert.equal(open.lines[0].heads, 2);
    assert.equal(fs.readFileSync(heads, 'utf8').trim().split('\n').length, 2);
    assert.match((await run('verify', log)).out, /^verified/);
  });
  await check('verify: Updates, Deletes, Grants, Terminate, and a timer', async () => {
    const busy = await desk.create(undefined, { size: 3, timeout: 200 });
    const [post] = await desk.must('commit', busy, 'Post', 'x');
    const [gone] = await desk.must('commit', busy, 'Post', 'y');
    await desk.must('commit', busy, 'Update', 'z', '--tag', `r=${post.id}`);
    await desk.must('commit', busy, 'Update', 'soon gone', '--tag', `r=${gone.id}`);
    await desk.must('commit', busy, 'Delete', '', '--tag', `r=${gone.id}`);
    const member = JSON.stringify({ identity: desk.pub, role: 'Member' });
    await desk.must('commit', busy, 'Grant', member);
    await new Promise((resolve) => setTimeout(resolve, 600));
    await desk.must('verify', busy);
    await desk.must('commit', busy, 'Terminate', '');
    const [said] = await desk.must('verify', busy);
    assert.deepEqual([said.status, said.open], ['terminated', 0]);
    const lines = await desk.must('query', busy, '--all', '--filter', ALL);
    const file = desk.file('busy', lines.map((line) => JSON.stringify(line)).join('\n'));
    assert.equal((await run('verify', '--file', file)).code, 0);
    const bare = lines.map(({ event }) => JSON.stringify(event)).join('\n');
    assert.equal((await run('verify', busy, '--file', '-', { input: bare })).code, 0);
    assert.equal((await run('verify', log, '--file', '-', { input: bare })).code, 1);
  });
  for (const [name, [lie, ...want]] of Object.entries(LIES)) {
    await check(`verify names a lying log: ${name}`, async () => {
      const proxy = await liar(daemon.url, lie);
      const got = await fault(proxy.url, log);
      const wanted = want.length > 2 ? [want.slice(0, 2), want.slice(2)] : [want];
      assert.ok(wanted.some((w) => w[0] === got[0] && w[1] === got[1]), `${got} for ${want}`);
      proxy.close();
    });
  }
  await check('verify: a remembered head of another log, another sequencer', async () => {
    const other = await desk.create();
    await desk.fill(other, 7);
    const heads = path.join(desk.folder, 'mixed');
    await desk.must('verify', other, '--remember', heads);
    const text = fs.readFileSync(heads, 'utf8').replaceAll(other, log);
    fs.writeFileSync(heads, text);
    assert.deepEqual(await fault(daemon.url, log, '--remember', heads), ['head_root', 2]);
    assert.deepEqual(await fault(daemon.url, log, '--sequencer', UNKNOWN), ['sequencer', 0]);
  });
  await check('verify: a log that lost what a remembered head covers', async () => {
    const heads = path.join(desk.folder, 'longer');
    const grown = await desk.create();
    await desk.fill(grown, 7);
    const before = await desk.must('query', grown, '--all', '--filter', ALL);
    await desk.fill(grown, 4);
    await desk.must('verify', grown, '--remember', heads);
    const file = desk.file('short', before.map((line) => JSON.stringify(line)).join('\n'));
    const done = await run('--json', 'verify', grown, '--file', file, '--remember', heads);
    assert.equal(done.code, 1);
    assert.equal(done.lines[0].fault, 'head_size');
  });
  await check('verify: hidden events are said to be hidden, with the key all is seen', async () => {
    const secret = await desk.create(row('*', 'Owner', ['R']));
    await desk.fill(secret, 5);
    assert.deepEqual(await fault(daemon.url, secret), ['hidden', 0]);
    const [said] = await desk.must('verify', secret);
    assert.equal(said.events, 6);
    const partly = await desk.create(row('Manifest', 'Public', ['R']));
    await desk.fill(partly, 5);
    assert.deepEqual(await fault(daemon.url, partly), ['hidden', 1]);
  });

  /* ---- fsck, and the one command ---- */

  await check('fsck: refused while the node runs, sound when it has stopped', async () => {
    assert.equal((await run('fsck', daemon.data)).code, 1);
    await daemon.stop();
    const done = await run('--json', 'fsck', daemon.data);
    assert.equal(done.code, 0, done.out + done.err);
    const { ok, enclaves, flaws } = done.lines.at(-1);
    assert.deepEqual([ok, flaws], [true, 0]);
    assert.ok(enclaves > 5 && done.lines.length === enclaves + 1);
  });
  await check('deploy/up: feeds, verifies, and again adds only what is new', deployUp, 120_000);
});

/** In a clone of its own, with the programs that are built already. */
async function deployUp() {
  const folder = newFolder();
  const clone = path.join(folder, 'clone');
  const git = (...words) => execFileSync('git', words, { cwd: folder, stdio: 'pipe' });
  git('clone', '-q', '--no-local', '--depth', '20', `file://${REPO}`, clone);
  fs.copyFileSync(path.join(REPO, 'deploy/up'), path.join(clone, 'deploy/up'));
  fs.copyFileSync(path.join(REPO, 'deploy/history.py'), path.join(clone, 'deploy/history.py'));
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const env = { ...process.env, UP_BUILD: path.dirname(ENCCTL), ENCLAVED_ADMIN: '127.0.0.1:0',
    ENCLAVED_LISTEN: `127.0.0.1:${port}` };
  const up = () => start(path.join(clone, 'deploy/up'), [], { env }).ended;
  const count = (done) => Number(/^(\d+) accepted, 0 refused$/m.exec(done.out)?.[1]);
  const commits = Number(execFileSync('git', ['rev-list', '--count', 'HEAD'], { cwd: clone }));
  const first = await up();
  const pid = Number(/stop it with: kill (\d+)/.exec(first.out)?.[1]);
  try {
    assert.equal(first.code, 0, first.out + first.err);
    assert.equal(count(first), commits);
    assert.match(first.out, /^verified/m);
    assert.match(first.out, /^curl .*\/sth$/m);
    execFileSync('git', ['-c', 'user.name=Zoë "Z"', '-c', 'user.email=z@example.org', 'commit',
      '-q', '--allow-empty', '-m', 'odd "subject" \\ $HOME \u2028 é'], { cwd: clone });
    const second = await up();
    assert.equal(second.code, 0, second.out + second.err);
    assert.equal(count(second), 1);
    assert.match(second.out, new RegExp(`^events +${commits + 2}$`, 'm'));
    assert.match(second.out, /already; using it/);
    assert.equal(count(await up()), 0);
  } finally {
    if (pid) process.kill(pid);
  }
}
