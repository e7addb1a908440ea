#!/usr/bin/env node
// encctl audit: honest nodes raise no alarm, lying ones are caught, with evidence that a judge who
// shares no code agrees with (protocol.md 7, 12).

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { runSuite } from './lib/check.mjs';
import { ENCCTL, encctl, liar, start } from './lib/encctl.mjs';
import { signSth } from './lib/ct.mjs';
import { eventOf } from './lib/event.mjs';
import { weigh } from './lib/evidence.mjs';
import { Enclave, forum, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { keyOf } from './lib/keys.mjs';
import { Client } from './lib/client.mjs';
import { makeCommit } from './lib/commit.mjs';
import { Daemon, newFolder } from './lib/process.mjs';
import { until } from './lib/wait.mjs';

const NOWHERE = 'http://127.0.0.1:1';
const STATUS = { proof: 3, unreached: 4, claim: 5 };
const LONG = 60_000;
const WORDS_MAX = 32;
const PATIENCE = Number(process.env.ENC_PATIENCE ?? 1);
const PEAK_KIB = 150_000 * PATIENCE; /* sanitizers keep what is freed */

const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** A node that keeps its address over restarts. */
const startNode = async (data = newFolder()) =>
  Daemon.start({ data, args: ['--listen', `127.0.0.1:${await freePort()}`] });

const keyFile = (key) => {
  const file = path.join(newFolder(), 'key');
  fs.writeFileSync(file, `${Buffer.from(key.priv).toString('hex')}\n`, { mode: 0o600 });
  return file;
};

const nodeKey = (node) => keyOf(new Uint8Array(Buffer.from(
  fs.readFileSync(path.join(node.data, 'node.key'), 'utf8').trim(), 'hex')));

/** A second node with the data and key that the first has now: what nobody may do. */
async function twin(node) {
  const data = path.join(newFolder(), 'twin');
  await node.stop();
  fs.cpSync(node.data, data, { recursive: true });
  await node.start();
  return startNode(data);
}

/** The same enclave at another node. */
const at = (enclave, node) => Object.assign(new Enclave(), enclave, { client: node.client });

const of = (url, enclave) => `${url.url ?? url}#${enclave.id}`;

/** One round: { code, lines, findings: { kind: worth } }. */
async function audit(targets, { state = newFolder(), words = [] } = {}) {
  const done = await encctl(NOWHERE, '--json', 'audit', '--once', '--state', state, ...words,
    ...targets);
  return result(done, state);
}

function result(done, state) {
  const lines = done.lines.filter(Boolean);
  const found = lines.filter(({ event }) => event === 'finding');
  const findings = Object.fromEntries(found.map(({ kind, worth }) => [kind, worth]));
  return { ...done, state, lines, findings, files: found.map(({ file }) => file) };
}

const judge = async (file) => {
  const done = await encctl(NOWHERE, '--json', 'evidence', file);
  return { code: done.code, ...done.lines[0] };
};

const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

/** Every change of one leaf of a JSON value: [path, value]. */
function* mutants(value, at = []) {
  const flip = (hex) => (hex[0] === '0' ? '1' : '0') + hex.slice(1);
  if (Array.isArray(value) && value.length > 0) {
    yield [at, value.slice(1)];
    yield [at, [...value, value[0]]];
  }
  if (value !== null && typeof value === 'object') {
    for (const [name, inner] of Object.entries(value))
      for (const [where, changed] of mutants(inner, [...at, name])) {
        const copy = structuredClone(value);
        copy[name] = changed;
        yield [where, copy];
      }
  } else if (typeof value === 'number') yield [at, value + 1];
  else if (typeof value === 'string' && value !== '') yield [at, flip(value)];
}

/* What nobody signs: a witness's own words, what is recomputed from elsewhere, and the size of a bundle
 * whose first event has the same way up in one of another size. */
const UNSIGNED = /^(seen|url|question)$|\.type_seq$|^manifest\.bundle$|binding\.bundle\.bundle_size$/;

/** The judge and its twin in JavaScript agree on the file, and on every change of it. */
async function agree(file, worth) {
  const evidence = read(file);
  const told = await judge(file);
  assert.deepEqual([told.worth, weigh(evidence)], [worth, worth], `${file}: ${told.text}`);
  assert.equal(told.code, worth === 'proof' ? 0 : STATUS.claim);
  const all = [...mutants(evidence)];
  for (let i = 0; i < all.length; i += WORDS_MAX) await agreeOnChanges(all.slice(i, i + WORDS_MAX));
  return all.length;
}

async function agreeOnChanges(changes) {
  const folder = newFolder();
  const files = changes.map(([, mutant], i) => {
    const file = path.join(folder, `${i}.json`);
    fs.writeFileSync(file, JSON.stringify(mutant));
    return file;
  });
  const { lines } = await encctl(NOWHERE, '--json', 'evidence', ...files);
  changes.forEach(([where, mutant], i) => {
    const name = where.join('.');
    assert.equal(lines[i].worth, weigh(mutant), `${name}: ${lines[i].text}`);
    if (!UNSIGNED.test(name)) assert.notEqual(lines[i].worth, 'proof', name);
  });
}

/** Caught, under this name, and worth that much before two judges. */
async function caught(done, kind, worth) {
  assert.equal(done.findings[kind], worth, `${done.code} ${done.out} ${done.err}`);
  assert.equal(done.code, STATUS[worth], done.out);
  const file = done.files.find((name) => path.basename(name).startsWith(`evidence-${kind}-`));
  assert.ok(await agree(file, worth) > 10);
  return read(file);
}

const sound = (done) => {
  assert.deepEqual(done.findings, {}, done.out);
  assert.equal(done.code, 0, done.out + done.err);
};

async function posts(enclave, count) {
  const receipts = [];
  for (let i = 0; i < count; i++) receipts.push(await enclave.post(enclave.owner));
  return receipts;
}

/** An audit that goes on: { child, lines(), end() }. */
function watch(targets, ...words) {
  const state = newFolder();
  const running = start(ENCCTL, ['--json', 'audit', '--interval', '1', '--state', state, ...words,
    ...targets]);
  const lines = () => running.got.out.split('\n').filter(Boolean).map((text) => JSON.parse(text));
  const end = async () => {
    running.child.kill('SIGTERM');
    return result(await running.ended, state);
  };
  return { ...running, state, lines, end };
}

const small = (owner) => wall(owner, { bundle: { size: 2, timeout: 0 } });

await runSuite(async ({ check }) => {
  const node = await startNode();

  /* ---- honest nodes ---- */

  await check('an honest node: nothing to say, and every head is kept', async () => {
    const enclave = await Enclave.create(node.client, small);
    const state = newFolder();
    for (let round = 0; round < 6; round++) {
      sound(await audit([of(node, enclave)], { state, words: ['--spot', '5'] }));
      await posts(enclave, round);
    }
    const heads = fs.readFileSync(path.join(state, 'heads.ndjson'), 'utf8').split('\n')
      .filter(Boolean).map((line) => JSON.parse(line).head).filter(Boolean);
    assert.deepEqual(heads.map(({ ts }) => ts), [0, 1, 2, 3, 5].slice(0, heads.length));
    assert.ok(heads.slice(1).every(({ binding }) => binding.inclusion.li === 0));
  });
  await check('growing, restarted, killed and handed over while it is watched: no false alarm',
    async () => {
      const busy = await startNode();
      const enclave = await Enclave.create(busy.client,
        (owner) => wall(owner, { bundle: { size: 3, timeout: 200 } }));
      const watched = watch([of(busy, enclave), of(busy.url.replace('127.0.0.1', 'localhost'),
        enclave)], '--spot', '3');
      const rounds = (count) => until(() => watched.lines().filter(({ event }) => event === 'head')
        .length >= count, `${count} heads`, LONG);
      await rounds(1);
      let seen = 1;
      const disturb = [() => busy.restart('SIGTERM'), () => busy.restart('SIGKILL'),
        () => busy.restart('SIGKILL')];
      for (const disturbance of disturb) {
        await posts(enclave, 40);
        await rounds(seen += 1);
        await disturbance();
        enclave.client = busy.client;
      }
      await posts(enclave, 7);
      busy.child.kill('SIGUSR2');
      const { pid } = await until(() => busy.lines.find(({ msg }) => msg === 'successor started'),
        'a successor');
      await until(() => busy.lines.filter(({ msg }) => msg === 'listening').length >= 4, 'it', LONG);
      enclave.client = await Client.of(busy.url);
      await posts(enclave, 20);
      await rounds(seen + 1);
      const done = await watched.end();
      process.kill(pid, 'SIGTERM');
      assert.deepEqual(done.findings, {}, done.out);
      assert.ok([0, STATUS.unreached].includes(done.code), `${done.code} ${done.err}`);
    }, LONG);
  await check('killed at any moment, the audit goes on from what it has seen', async () => {
    const enclave = await Enclave.create(node.client, small);
    const state = newFolder();
    const words = ['audit', '--once', '--state', state, of(node, enclave)];
    for (const after of [5, 20, 40, 60]) {
      await posts(enclave, 3);
      const running = start(ENCCTL, words);
      setTimeout(() => running.child.kill('SIGKILL'), after);
      await running.ended;
      fs.appendFileSync(path.join(state, 'heads.ndjson'), '{"enclave":"0');
      sound(await audit([of(node, enclave)], { state }));
    }
    const record = fs.readFileSync(path.join(state, 'heads.ndjson'), 'utf8');
    assert.ok(record.endsWith('\n') && record.split('\n').filter(Boolean).every(JSON.parse));
    fs.writeFileSync(path.join(state, 'heads.ndjson'), 'x\n');
    const spoilt = await audit([of(node, enclave)], { state });
    assert.equal(spoilt.code, 1);
    assert.match(spoilt.err, /line 1 was not written by an audit/);
  });
  await check('two audits do not share a directory', async () => {
    const enclave = await Enclave.create(node.client, small);
    const watched = watch([of(node, enclave)]);
    await until(() => watched.lines().length, 'a round', LONG);
    const second = await audit([of(node, enclave)], { state: watched.state });
    assert.equal(second.code, 1);
    sound(await watched.end());
  });
  await check('a private enclave: proofs by --key, and told when there is none', async () => {
    const club = await Enclave.create(node.client, forum);
    const words = ['--key', keyFile(club.owner)];
    const state = newFolder();
    for (const count of [5, 9, 4]) {
      await posts(club, count);
      sound(await audit([of(node, club)], { state, words: [...words, '--spot', '3'] }));
      sound(await audit([of(node, club)], { state: `${state}-public` }));
    }
  });
  await check('every service: a registry and what it lists are found by themselves', async () => {
    const enclave = await Enclave.create(node.client, small);
    await posts(enclave, 3);
    const registered = await encctl(`${node.url}/registry`, '--key', keyFile(enclave.owner),
      'register', 'enclave', enclave.id, '--node', node.url);
    assert.equal(registered.code, 0, registered.err);
    const state = newFolder();
    for (let round = 0; round < 2; round++) {
      const done = await audit([node.url], { state });
      sound(done);
      if (round === 0)
        assert.ok(done.lines.filter(({ event }) => event === 'head').length >= 2, done.out);
      assert.ok(round > 0 || done.lines.some((line) => line.enclave === enclave.id));
      await posts(enclave, 4);
    }
  });
  await check('promises that are kept: pending, then in the log, under every later head', async () => {
    const enclave = await Enclave.create(node.client, small);
    const file = path.join(newFolder(), 'receipts');
    const commits = [];
    for (let i = 0; i < 4; i++) {
      const commit = makeCommit(enclave.owner, enclave.id, 'Post', `promise ${i}`);
      commits.push([commit, await node.client.accept(commit)]);
    }
    const lines = [JSON.stringify({ commit: commits[0][0], receipt: commits[0][1] }),
      JSON.stringify(eventOf(...commits[1])), JSON.stringify(commits[2][1]),
      JSON.stringify({ commit: commits[3][0], receipt: commits[3][1] })];
    fs.writeFileSync(file, `${lines.join('\n')}\n`);
    const state = newFolder();
    const first = await audit([of(node, enclave)], { state, words: ['--receipt', file] });
    sound(first);
    assert.equal(first.lines.filter(({ event }) => event === 'kept').length, 3, first.out);
    await posts(enclave, 1);
    const second = await audit([of(node, enclave)], { state, words: ['--receipt', file] });
    sound(second);
    assert.equal(second.lines.filter(({ event }) => event === 'kept').length, 4);
    for (const broken of ['{}', 'x', JSON.stringify({ ...eventOf(...commits[1]), content: 'other' })]) {
      fs.writeFileSync(file, broken);
      assert.equal((await audit([of(node, enclave)], { words: ['--receipt', file] })).code, 2);
    }
  });
  await check('a move to another node is no misbehaviour, seen from both', async () => {
    const [old, next] = [await startNode(), await startNode()];
    const enclave = await Enclave.create(old.client, (owner) => {
      const content = wall(owner, { bundle: { size: 2, timeout: 0 } });
      content.RBAC.schema.push({ event: 'Migrate', role: 'Owner', ops: ['C'] });
      return content;
    });
    await posts(enclave, 6);
    const state = newFolder();
    const both = [of(old, enclave), of(next, enclave)];
    sound(await audit([both[0]], { state }));
    const { seq } = await old.client.info(enclave.id);
    const { r } = await old.client.sth(enclave.id);
    await enclave.add(enclave.owner, 'Migrate',
      { new_sequencer: next.client.seqPub, prev_seq: seq, ct_root: r });
    sound(await audit([both[0]], { state }));
    await old.stop();
    const exported = await encctl(NOWHERE, 'export', enclave.id, '--data', old.data);
    await old.start();
    const file = path.join(newFolder(), 'log');
    fs.writeFileSync(file, exported.out);
    await next.stop();
    assert.equal((await encctl(NOWHERE, 'import', file, '--data', next.data)).code, 0);
    await next.start();
    enclave.client = next.client;
    for (const count of [0, 5, 3]) {
      await posts(enclave, count);
      sound(await audit(both, { state, words: ['--spot', '4'] }));
      sound(await audit([...both].reverse(), { state: `${state}-${count}` }));
    }
    sound(await audit(both, { state, words: ['--sequencer', next.client.seqPub] }));
    const wrong = await audit(both, { words: ['--sequencer', enclave.owner.pub] });
    assert.equal(wrong.findings.unsigned, 'claim');
    await Promise.all([old.stop(), next.stop()]);
  }, LONG);

  /* ---- lying nodes ---- */

  const base = await startNode();
  const victim = await Enclave.create(base.client, small);
  await posts(victim, 9); /* five bundles */
  const second = await twin(base);
  victim.client = base.client;
  const fork = at(victim, second);
  await posts(fork, 2);
  const older = await twin(base); /* five bundles, for ever */
  victim.client = base.client;

  await check('a fork, two places at once: same size, other root', async () => {
    await posts(victim, 2);
    const done = await audit([of(base, victim), of(second, victim)]);
    const evidence = await caught(done, 'fork', 'proof');
    assert.equal(evidence.heads[0].ts, evidence.heads[1].ts);
    const { state } = done; /* what was seen first stays the log, also for the next who looks */
    sound(await audit([of(base, victim)], { state }));
    assert.equal((await audit([of(second, victim)], { state })).findings.fork, 'proof');
    sound(await audit([of(base, victim)], { state }));
  }, LONG);
  await check('a fork by a proxy that shows each his own log', async () => {
    const split = http.createServer((ask, answer) => {
      const url = ask.headers.host.startsWith('localhost') ? second.url : base.url;
      const chunks = [];
      ask.on('data', (chunk) => chunks.push(chunk));
      ask.on('end', async () => {
        const body = ask.method === 'POST' ? Buffer.concat(chunks) : undefined;
        const got = await request(ask.method, url, ask.url, body);
        answer.writeHead(got.status, { 'content-type': 'application/json' });
        answer.end(got.text);
      });
    });
    await new Promise((resolve) => split.listen(0, '127.0.0.1', resolve));
    const { port } = split.address();
    const one = `http://127.0.0.1:${port}`;
    sound(await audit([of(one, victim)]));
    const done = await audit([of(one, victim), of(`http://localhost:${port}`, victim)]);
    assert.equal(done.findings.fork, 'proof', done.out);
    assert.equal(done.code, STATUS.proof);
    split.close();
  });
  await check('a fork over time: six bundles of one log, then nine of another', async () => {
    const state = newFolder();
    sound(await audit([of(base, victim)], { state }));
    await posts(fork, 6);
    const evidence = await caught(await audit([of(second, victim)], { state }), 'fork', 'proof');
    assert.equal(evidence.heads[0].ts, 6);
    assert.ok(evidence.consistency);
    sound(await audit([of(base, victim)], { state: newFolder() }));
  }, LONG);
  await check('a fork over time, where only an inclusion can show it', async () => {
    const state = newFolder();
    await posts(victim, 4); /* eight */
    sound(await audit([of(base, victim)], { state }));
    const evidence = await caught(await audit([of(second, victim)], { state }), 'fork', 'proof');
    assert.equal(evidence.heads[0].ts, 8);
    assert.ok(evidence.inclusion);
  }, LONG);
  await check('a fork that is shown once and never explained', async () => {
    const state = newFolder();
    sound(await audit([of(base, victim)], { state }));
    await posts(victim, 6);
    const mute = http.createServer(async (ask, answer) => {
      const is_sth = /sth$|info/.test(ask.url);
      const got = is_sth ? await request('GET', second.url, ask.url) : { status: 500, text: '{}' };
      answer.writeHead(got.status, { 'content-type': 'application/json' }).end(got.text);
    });
    await new Promise((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const shown = of(`http://127.0.0.1:${mute.address().port}`, victim);
    await posts(fork, 2);
    const once = await audit([shown], { state });
    assert.deepEqual([once.code, once.findings], [STATUS.unreached, {}], once.out);
    mute.close();
    const { ts } = await second.client.sth(victim.id);
    while ((await base.client.sth(victim.id)).ts < ts) await posts(victim, 1);
    const later = await audit([of(base, victim)], { state });
    assert.equal(later.findings.fork ?? 'claim', 'claim');
    sound(await audit([of(base, victim)], { state: newFolder() }));
    const found = [later, await audit([of(base, victim)], { state })];
    assert.ok(found.some(({ findings }) => findings.fork === 'claim'), found[1].out);
  });
  await check('a rewind: an older copy of the directory, beyond a minute and within', async () => {
    const key = nodeKey(base);
    const past = (ms) => liar(base.url, (json, where) => (where.endsWith('/sth')
      ? signSth({ t: Date.now() - ms, ts: json.ts, r: json.r }, key.priv) : json));
    const long = await past(100_000);
    const brief = await past(30_000);
    for (const [proxy, worth] of [[long, 'proof'], [brief, 'claim']]) {
      const state = newFolder();
      sound(await audit([of(proxy, victim)], { state }));
      const done = await audit([of(older, victim)], { state });
      await caught(done, 'rewind', worth);
      proxy.close();
    }
  }, LONG);
  await check('an altered root, signed again', async () => {
    const key = nodeKey(base);
    const state = newFolder();
    sound(await audit([of(base, victim)], { state }));
    const alter = (grow) => liar(base.url, (json, where) => (where.endsWith('/sth')
      ? signSth({ t: Date.now(), ts: json.ts + grow, r: 'ab'.repeat(32) }, key.priv) : json));
    for (const [grow, kind] of [[0, 'fork'], [3, 'refused']]) {
      const proxy = await alter(grow);
      /* a root that nothing leads to might be another enclave's: nobody else has to believe it */
      await caught(await audit([of(proxy, victim)], { state }), kind, 'claim');
      proxy.close();
    }
  }, LONG);
  await check('a head that the sequencer has not signed', async () => {
    const proxy = await liar(base.url, (json, where) => (where.endsWith('/sth')
      ? { ...json, t: json.t + 1 } : json));
    await caught(await audit([of(proxy, victim)]), 'unsigned', 'claim');
    proxy.close();
  }, LONG);
  await check('a stale head, for ever', async () => {
    const key = nodeKey(base);
    const state = newFolder();
    const head = await base.client.sth(victim.id);
    const stale = signSth({ t: Date.now() - 300_000, ts: head.ts, r: head.r }, key.priv);
    const proxy = await liar(base.url, (json, where) => (where.endsWith('/sth') ? stale : json));
    await caught(await audit([of(proxy, victim)], { state }), 'stale', 'claim');
    const patient = await audit([of(proxy, victim)], { state, words: ['--max-age', '1000'] });
    sound(patient);
    proxy.close();
  }, LONG);
  await check('a node that refuses consistency', async () => {
    const state = newFolder();
    sound(await audit([of(base, victim)], { state }));
    await posts(victim, 2);
    for (const answer of [{}, { ts1: 1, ts2: 2, p: [] }]) {
      const proxy = await liar(base.url, (json, where) =>
        (/consistency|inclusion/.test(where) ? answer : json));
      await caught(await audit([of(proxy, victim)], { state }), 'refused', 'claim');
      proxy.close();
    }
    sound(await audit([of(base, victim)], { state }));
  }, LONG);
  await check('false proofs of events and of the state', async () => {
    const lies = [
      [/inclusion/, (json) => ({ ...json, content: { ...json.content, state_hash: 'ab'.repeat(32) } })],
      [/inclusion/, (json) => ({ ...json, content: { ...json.content, /* neither first nor last */
        ...(json.content.li > 0 && json.content.li < json.content.ts - 1
          && { state_hash: 'ab'.repeat(32) }) } })],
      [/bundle/, (json) => ({ ...json, content: { ...json.content, bundle_index: 1,
        siblings: ['ab'.repeat(32)] } })],
      [/state$/, (json) => ({ ...json, content: { ...json.content, state_hash: 'ab'.repeat(32) } })],
      [/state$/, (json) => ({ ...json, content: { ...json.content, v: 'ab'.repeat(32) } })],
      [/[0-9a-f]{64}$/, (json) => ({ ...json, content: { ...json.content, events:
        json.content.events.map((e) => ({ ...e, event: { ...e.event, content: 'other' } })) } })],
    ];
    for (const [where, lie] of lies) {
      const proxy = await liar(base.url, (json, url) => (where.test(url) ? lie(json) : json));
      const done = await audit([of(proxy, victim)], { words: ['--spot', '20'] });
      assert.equal(done.findings['bad-proof'], 'claim', `${where} ${done.out}`);
      assert.equal(done.code, STATUS.claim);
      proxy.close();
    }
  });
  await check('a receipt whose event is gone; then another event in its place', async () => {
    const commit = makeCommit(victim.owner, victim.id, 'Post', 'promised');
    const receipt = await base.client.accept(commit);
    const file = path.join(newFolder(), 'receipt');
    fs.writeFileSync(file, JSON.stringify({ commit, receipt }));
    const words = ['--receipt', file];
    sound(await audit([of(base, victim)], { words }));
    await caught(await audit([of(older, victim)], { words }), 'missing', 'claim');
    const copy = at(victim, older);
    for (;;) if ((await copy.post(victim.owner)).seq >= receipt.seq) break;
    const evidence = await caught(await audit([of(older, victim)], { words }), 'two-events', 'proof');
    assert.equal(evidence.events[0].id, receipt.id);
    fs.writeFileSync(file, JSON.stringify(receipt));
    const bare = await audit([of(older, victim)], { words });
    assert.deepEqual(bare.findings, { missing: 'claim' });
  }, LONG);
  await check('a receipt that a later head does not keep', async () => {
    const timed = await Enclave.create(base.client,
      (owner) => wall(owner, { bundle: { size: 8, timeout: 100 } }));
    await posts(timed, 3);
    const closed = await until(async () => (await base.client.sth(timed.id)).ts > 0 || null, 'a bundle');
    assert.ok(closed);
    const before = await twin(base);
    timed.client = base.client;
    victim.client = base.client;
    const commit = makeCommit(timed.owner, timed.id, 'Post', 'promised');
    const receipt = await base.client.accept(commit);
    const file = path.join(newFolder(), 'receipt');
    fs.writeFileSync(file, JSON.stringify({ commit, receipt }));
    const key = nodeKey(base);
    const later = await liar(before.url, (json, where) => (where.endsWith('/sth')
      ? signSth({ t: Date.now() + 90_000, ts: json.ts, r: json.r }, key.priv) : json));
    const done = await audit([of(later, timed)], { words: ['--receipt', file] });
    const evidence = await caught(done, 'dropped', 'proof');
    const { content } = await before.client.query(timed.id, { seq: { start_at: 1, end_at: 1 } });
    const [{ event }] = content.events; /* in the last bundle, and not its last */
    const proof = (await before.client.prove('bundle', timed.id, { event_id: event.id })).content;
    const short = { ...evidence, events: [evidence.events[0], event], bundle: proof };
    fs.writeFileSync(file, JSON.stringify(short));
    assert.deepEqual([weigh(short), (await judge(file)).worth], ['none', 'none']);
    later.close();
    await before.stop();
  }, LONG);
  await check('heads of two enclaves frame nobody', async () => {
    const [one, two] = [await Enclave.create(node.client, small),
      await Enclave.create(node.client, small)];
    await posts(one, 3);
    await posts(two, 3);
    const state = newFolder();
    sound(await audit([of(node, one), of(node, two)], { state }));
    const lines = fs.readFileSync(path.join(state, 'heads.ndjson'), 'utf8').split('\n').filter(Boolean)
      .map((line) => JSON.parse(line));
    const heads = lines.filter(({ head }) => head).map(({ head }) => head);
    const { manifest } = lines.find((line) => line.manifest && line.enclave === one.id);
    const frame = { enc_evidence: 1, kind: 'fork', enclave: one.id, manifest, migrates: [], heads };
    const file = path.join(newFolder(), 'frame.json');
    const verdict = async (evidence) => {
      fs.writeFileSync(file, JSON.stringify(evidence));
      const [ours, theirs] = [weigh(evidence), (await judge(file)).worth];
      assert.equal(ours, theirs);
      return ours;
    };
    assert.equal(await verdict(frame), 'none');
    const bare = heads.map(({ binding, ...head }) => head);
    assert.equal(await verdict({ ...frame, heads: bare }), 'claim');
    const borrowed = heads.map((head) => ({ ...head, binding: heads[0].binding }));
    assert.equal(await verdict({ ...frame, heads: borrowed }), 'none');
  });

  /* ---- hostile nodes ---- */

  /** A server that answers everything by body(response), what an audit of it came to, and its cost. */
  async function hostile(body, format = ['--json']) {
    const server = http.createServer((ask, answer) => body(answer, ask));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${server.address().port}`;
    const began = Date.now();
    const running = start(ENCCTL, [...format, 'audit', '--once', of(url, victim)]);
    let peak = 0;
    const look = setInterval(() => {
      try {
        const status = fs.readFileSync(`/proc/${running.child.pid}/status`, 'utf8');
        peak = Math.max(peak, Number(status.match(/VmHWM:\s+(\d+)/)?.[1] ?? 0));
      } catch { /* it has ended */ }
    }, 20);
    const done = result(await running.ended);
    clearInterval(look);
    server.closeAllConnections();
    server.close();
    return { ...done, ms: Date.now() - began, peak };
  }
  const bounded = (done, ms = 5000) => {
    assert.equal(done.code, STATUS.unreached, `${done.code} ${done.signal} ${done.out} ${done.err}`);
    assert.ok(done.ms < ms * PATIENCE, `${done.ms} ms`);
    assert.ok(done.peak < PEAK_KIB, `${done.peak} KiB`);
  };
  const json = { 'content-type': 'application/json' };

  await check('hostile: a gigabyte', async () => {
    bounded(await hostile((answer) => {
      answer.writeHead(200, json);
      const piece = Buffer.alloc(1 << 20, 'x');
      const pour = () => {
        while (!answer.destroyed && answer.write(piece));
        if (!answer.destroyed) answer.once('drain', pour);
      };
      answer.on('error', () => {});
      pour();
    }));
  });
  await check('hostile: gigabytes that gzip makes of little, and JSON without end', async () => {
    bounded(await hostile((answer) => {
      answer.writeHead(200, { ...json, 'content-encoding': 'gzip' });
      answer.end(Buffer.alloc(1000));
    }));
    bounded(await hostile((answer) => answer.writeHead(200, json).end('['.repeat(2_000_000))));
    bounded(await hostile((answer) => answer.writeHead(200, json).end(`[${'[],'.repeat(600_000)}[]]`)));
    bounded(await hostile((answer) => answer.writeHead(200, json).end(
      `{"seq":1,"service":"enc-node","t":1e999,"ts":-1,"r":null,"sig":[${'"",'.repeat(500_000)}""]}`)));
  });
  await check('hostile: redirects, to itself and to elsewhere', async () => {
    let [asked, lured] = [0, 0];
    const elsewhere = http.createServer((ask, answer) => answer.end(`{"lured":${lured++}}`));
    await new Promise((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    for (const location of ['/', `http://127.0.0.1:${elsewhere.address().port}/`, 'file:///etc/passwd'])
      bounded(await hostile((answer) => {
        asked++;
        answer.writeHead(302, { location }).end('{}');
      }));
    assert.deepEqual([asked, lured], [3, 0]);
    elsewhere.close();
  });
  await check('hostile: control characters in what is printed', async () => {
    for (const format of [['--json'], []]) {
      const done = await hostile((answer) => answer.writeHead(400, json).end(
        JSON.stringify({ code: '\u001b[2J', message: '\u0007\n'.repeat(1000) })), format);
      bounded(done);
      assert.match(done.out, /unreached/);
      assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(done.out), done.out);
      assert.equal(done.out.split('\n').length, 2);
    }
  });
  await check('hostile: a byte a second; the visit ends, and the others are visited', async () => {
    const server = http.createServer((ask, answer) => {
      answer.writeHead(200, json);
      const drip = setInterval(() => answer.write(' '), 500);
      answer.on('close', () => clearInterval(drip));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const began = Date.now();
    const done = await audit([of(`http://127.0.0.1:${server.address().port}`, victim),
      of(base, victim)]);
    assert.equal(done.code, STATUS.unreached);
    assert.ok(done.lines.some(({ event, url }) => event === 'head' && url === base.url), done.out);
    assert.ok(Date.now() - began < 15_000);
    server.closeAllConnections();
    server.close();
  }, LONG);
  await check('nobody there, nobody named, nonsense', async () => {
    assert.equal((await audit([of(NOWHERE, victim)])).code, STATUS.unreached);
    assert.equal((await audit([NOWHERE])).code, STATUS.unreached);
    assert.equal((await audit(['ftp://x#00'])).code, 2);
    assert.equal((await audit([`${node.url}#00`])).code, 2);
    assert.equal((await audit([of(node, victim)], { words: ['--interval', 'x'] })).code, 2);
    assert.equal((await encctl(NOWHERE, 'evidence', '/nowhere')).code, 1);
    const file = path.join(newFolder(), 'e');
    for (const text of ['', '[]', '{}', '{"enc_evidence":1}', '{"enc_evidence":2}']) {
      fs.writeFileSync(file, text);
      assert.equal((await encctl(NOWHERE, 'evidence', file)).code, 1);
    }
  });
});
