#!/usr/bin/env node
// An enclave moves from one node to another: Migrate, export, import, and on with it (protocol.md 12).

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { runSuite } from './lib/check.mjs';
import { ENCCTL, encctl, start } from './lib/encctl.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { Enclave, forum, refersTo, wall } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon, newFolder } from './lib/process.mjs';
import { Socket } from './lib/socket.mjs';
import { auditNode } from '../replay/audit.mjs';

const NOWHERE = 'http://127.0.0.1:1';
const ALL = { status: ['active', 'updated', 'deleted'] };

const fileOf = (content, name = 'file') => {
  const file = path.join(newFolder(), name);
  fs.writeFileSync(file, content, { mode: 0o600 });
  return file;
};
const keyFile = (key) => fileOf(`${Buffer.from(key.priv).toString('hex')}\n`, 'key');
const linesOf = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
const textOf = (lines) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

/** A node that can be stopped for a while. */
class Node {
  guests = []; /* enclaves whose client is this node's, whatever its port */

  static async start() {
    const node = new Node();
    node.daemon = await Daemon.start();
    return node;
  }

  get client() {
    return this.daemon.client;
  }

  /** Do something offline with the directory. */
  async offline(body) {
    await this.daemon.stop();
    try {
      return await body(this.daemon.data);
    } finally {
      await this.daemon.start();
      this.guests.forEach((enclave) => (enclave.client = this.client));
    }
  }

  host(enclave) {
    this.guests.push(enclave);
    enclave.client = this.client;
  }

  export(id, ...words) {
    return this.offline((data) => encctl(NOWHERE, 'export', id, '--data', data, ...words));
  }

  import(text, ...words) {
    return this.offline((data) =>
      encctl(NOWHERE, '--json', 'import', fileOf(text), '--data', data, ...words));
  }
}

async function migrate(enclave, to) {
  const { seq } = await enclave.client.info(enclave.id);
  const { r } = await enclave.client.sth(enclave.id);
  return enclave.add(enclave.owner, 'Migrate',
    { new_sequencer: to, prev_seq: seq, ct_root: r });
}

/** Every kind of event once, so that nothing of the state is at its default. */
async function live(enclave) {
  const member = await enclave.newHolder('Member');
  const leaver = await enclave.newHolder('Member');
  const sink = await enclave.newHolder('Sink');
  await enclave.add(enclave.owner, 'Grant_Push',
    { identity: sink.pub, role: 'Bell', endpoint: 'https://push.example/hook' });
  const first = await enclave.post(member, 'to be changed');
  const second = await enclave.post(member, 'to be deleted');
  await enclave.add(member, 'Update', 'is changed', refersTo(first.id));
  await enclave.add(member, 'Update', 'is changed before it goes', refersTo(second.id));
  await enclave.add(member, 'Delete', '', refersTo(second.id));
  await enclave.add(enclave.owner, 'Revoke', { identity: leaver.pub, role: 'Member' });
  await enclave.add(enclave.owner, 'Gate', { event: 'Note', open: false });
  return { member, first, second };
}

async function refusedImport(node, text, what, ...words) {
  const done = await node.import(text, ...words);
  assert.equal(done.code, 1, `imported: ${done.out}`);
  assert.match(done.err, what);
}

await runSuite(async ({ check }) => {
  const old = await Node.start();
  const next = await Node.start();
  const enclave = await Enclave.create(old.client, forum);
  old.host(enclave);
  const { member, first, second } = await live(enclave);
  const reader = keyFile(enclave.owner);
  let log;
  let snapshot;

  await check('export from a running node is verified, and says what it says', async () => {
    const done = await encctl(old.daemon.url, '--key', reader, 'export', enclave.id);
    assert.equal(done.code, 0, done.err);
    const info = await old.client.info(enclave.id);
    const [head, ...rest] = done.lines;
    const end = rest.pop();
    assert.equal(head.enc_snapshot, 1);
    assert.equal(head.service, 'enc-node');
    assert.deepEqual([head.enclave, head.sequencer, head.seq, head.ct_root, head.state_hash],
      [enclave.id, old.client.seqPub, info.seq, info.ct.r, info.state_hash]);
    assert.equal(rest.length, info.seq + 1);
    assert.deepEqual(end, { enc_snapshot_end: 1, events: rest.length, sth: head.sth });
    const verified = await encctl(NOWHERE, '--json', 'verify', '--file', fileOf(done.out));
    assert.equal(verified.lines[0].ok, true);
  });
  await check('a reader who may not see all gets no whole file', async () => {
    const done = await encctl(old.daemon.url, 'export', enclave.id);
    assert.equal(done.code, 1);
    assert.match(done.err, /hidden/);
    assert.ok(!done.out.includes('enc_snapshot_end'));
  });
  await check('export of a directory, plain and gzip: the same lines', async () => {
    const plain = await old.export(enclave.id);
    assert.equal(plain.code, 0, plain.err);
    const file = path.join(newFolder(), 'out.gz');
    const zipped = await old.offline((data) => start('sh', ['-c',
      `'${ENCCTL}' export ${enclave.id} --data '${data}' --gzip > '${file}'`]).ended);
    assert.equal(zipped.code, 0, zipped.err);
    assert.equal(zlib.gunzipSync(fs.readFileSync(file)).toString(), plain.out);
    const gone = plain.lines.find((line) => line.id === second.id);
    assert.equal(gone.content, null, 'what was deleted does not travel');
    assert.match(gone.content_hash, /^[0-9a-f]{64}$/);
    assert.ok(!plain.out.includes('to be deleted') && !plain.out.includes('before it goes'));
    const none = await old.export('ab'.repeat(32));
    assert.equal(none.code, 1);
    assert.match(none.err, /no such enclave/);
  });
  await check('a log that goes on where it is cannot be imported', async () => {
    const { out } = await old.export(enclave.id);
    await refusedImport(next, out, /last event is no Migrate/);
  });

  await check('Migrate: the old node refuses, and says who goes on', async () => {
    await migrate(enclave, next.client.seqPub);
    const answer = await enclave.tryAdd(member, 'Post', 'too late');
    assert.equal(assertError(answer, 'ENCLAVE_MIGRATED').new_sequencer, next.client.seqPub);
    const early = await next.client.commit(enclave.make(member, 'Post', 'too early'));
    assertError(early, 'ENCLAVE_NOT_FOUND');
    const done = await old.export(enclave.id);
    assert.equal(done.code, 0, done.err);
    snapshot = done.out;
    log = linesOf(snapshot);
    const again = await enclave.client.commit(enclave.make(member, 'Post', 'still too late'));
    assertError(again, 'ENCLAVE_MIGRATED');
  });
  await check('the old node stays sound, and serves what it has', async () => {
    await auditNode(old.client, enclave.id, enclave.owner);
    assert.equal((await old.offline((data) => encctl(NOWHERE, 'fsck', data))).code, 0);
  });

  /* Lies about the log: [name, change of the lines, what it is called]. */
  const at = (type) => log.findIndex((line) => line.type === type);
  const LIES = {
    'the Migrate cut off': [(l) => l.splice(-2, 1) && l.at(-1).events--, /last event is no Migrate/],
    'cut in the middle': [(l) => l.splice(5), /ends here, without its last line/],
    'no first line': [(l) => l.shift(), /no snapshot of an enclave/],
    'only a first line': [(l) => l.splice(1), /line 2: .*ends here/],
    'nothing': [(l) => l.splice(0), /line 1: .*ends here/],
    'an event dropped': [(l) => l.splice(4, 1) && l.at(-1).events--, /line 5: .*seq/],
    'two events swapped': [(l) => ([l[4], l[5]] = [l[5], l[4]]), /line 5/],
    'an event twice': [(l) => l.splice(4, 0, l[4]) && l.at(-1).events++, /line 6/],
    'a changed word': [(l) => (l[at('Post')].content += '!'), /hash/],
    'a changed hash of what was deleted': [(l) => {
      const gone = l.find((line) => line.content === null);
      gone.content_hash = gone.content_hash.replace(/^./, (c) => (c === '0' ? '1' : '0'));
    }, /hash/],
    'a Delete kept back': [(l) => (l.find((line) => line.type === 'Post').content = null,
    l.find((line) => line.type === 'Post').content_hash = 'ab'.repeat(32)), /hash/],
    'no hash of what was deleted': [(l) =>
      delete l.find((line) => line.content === null).content_hash, /no node can go on from it/],
    'a forged signature': [(l) => (l[3].sig = l[4].sig), /line 4: .*sig/],
    'another sequencer': [(l) => (l[3].sequencer = newKey().pub), /line 4: .*sequencer/],
    'another enclave': [(l) => (l[0].enclave = 'ab'.repeat(32)), /line 2/],
    'another service': [(l) => (l[0].service = 'shop'), /service/],
    'a service with other rules': [(l) => (l[0].service = 'chat'), /rules/],
    'a service of one enclave': [(l) => (l[0].service = 'registry'), /node's own/],
    'a head that tells tales': [(l) => l[0].seq++, /first line/],
    'a state that is not': [(l) => (l[0].state_hash = 'ab'.repeat(32)), /first line/],
    'a root that is not': [(l) => (l.at(-1).sth.r = 'ab'.repeat(32)), /tree head at its end/],
    'an end signed by somebody': [(l) => (l.at(-1).sth.sig = l[2].sig), /tree head at its end/],
    'a wrong count': [(l) => l.at(-1).events++, /last line/],
    'more behind the end': [(l) => l.push({}), /behind the last line/],
    'no event at all': [(l) => (l[3] = { seq: 2 }), /line 4: no event/],
    'no object': [(l) => (l[3] = [1]), /line 4: no JSON object/],
    'another format': [(l) => (l[0].enc_snapshot = 2), /does not know/],
  };
  for (const [name, [change, what]] of Object.entries(LIES)) {
    await check(`refused whole: ${name}`, async () => {
      const lines = structuredClone(log);
      change(lines);
      await refusedImport(next, textOf(lines), what);
    });
  }
  await check('refused whole: bytes that are no file of ours', async () => {
    await refusedImport(next, 'hello\n', /line 1: no JSON/);
    await refusedImport(next, Buffer.alloc(100), /line 1: /);
    await refusedImport(next, `${snapshot.split('\n')[0]}\n${'x'.repeat(5 << 20)}`,
      /line 2: too long/);
    const zipped = zlib.gzipSync(snapshot);
    await refusedImport(next, zipped.subarray(0, zipped.length - 20), /line \d+: /);
    const harmed = Buffer.from(zipped);
    harmed[zipped.length >> 1] ^= 255;
    await refusedImport(next, harmed, /line \d+: /);
  });
  await check('refused: a Migrate that names another node', async () => {
    const third = await Node.start();
    await refusedImport(third, snapshot, /names another node/);
    await third.daemon.stop();
  });
  await check('nothing of what was refused is there', async () => {
    const checked = await next.offline((data) => encctl(NOWHERE, '--json', 'fsck', data));
    assert.equal(checked.code, 0, checked.out);
    assert.equal((await next.client.get(`/enclave/${enclave.id}/sth`)).status, 404);
  });
  await check('heads that others saw: a log that is not theirs is refused', async () => {
    const other = await Enclave.create(old.client, wall, { bundle: { size: 1, timeout: 0 } });
    const foreign = { enclave: enclave.id, ...await old.client.sth(other.id) };
    await refusedImport(next, snapshot, /tree head|root/, '--heads',
      fileOf(JSON.stringify(foreign)));
    await refusedImport(next, snapshot, /no tree head of --heads/, '--heads', fileOf(''));
  });
  await check('killed at any moment, the import is there wholly or not at all', async () => {
    for (const after of [1, 5, 15, 40]) {
      const folder = path.join(newFolder(), 'copy');
      await next.offline((data) => fs.cpSync(data, folder, { recursive: true }));
      const child = start(ENCCTL, ['import', fileOf(snapshot), '--data', folder]);
      setTimeout(() => child.child.kill('SIGKILL'), after);
      await child.ended;
      const checked = await encctl(NOWHERE, '--json', 'fsck', folder);
      assert.equal(checked.code, 0, checked.out);
    }
  });

  await check('the import, and the log goes on at seq + 1 with the new key', async () => {
    const sth = await old.client.sth(enclave.id);
    const heads = fileOf(JSON.stringify({ enclave: enclave.id, ...sth }));
    const done = await next.import(zlib.gzipSync(snapshot), '--heads', heads);
    assert.equal(done.code, 0, done.err);
    assert.equal(done.lines[0].events, log.length - 2);
    const info = await next.client.info(enclave.id);
    assert.deepEqual([info.status, info.sequencer, info.seq],
      ['active', next.client.seqPub, log.length - 3]);
    assert.equal((await next.offline((data) => encctl(NOWHERE, 'fsck', data))).code, 0);
    old.guests = [];
    next.host(enclave);
    const receipt = await enclave.post(member, 'at the new node');
    assert.deepEqual([receipt.seq, receipt.sequencer], [log.length - 2, next.client.seqPub]);
  });
  await check('rules, statuses and gates came along', async () => {
    const gated = await enclave.tryAdd(newKey(), 'Note', 'x');
    assert.notEqual(gated.status, 200);
    assertError(await enclave.tryAdd(member, 'Delete', '', refersTo(second.id)), 'ALREADY_DELETED');
    await enclave.add(member, 'Update', 'changed again', refersTo(first.id));
    const { events } = (await next.client.query(enclave.id, { ...ALL, id: [second.id] },
      { as: enclave.owner })).content;
    assert.equal(events[0].status, 'deleted');
    assert.equal(events[0].event.content, null);
    const again = await next.client.commit(enclave.make(member, 'Post', 'once more'));
    assertOk(again);
  });
  await check('a commit of the old log is known at the new node', async () => {
    const line = log.find(({ type, content }) => type === 'Post' && content !== null);
    const { hash, enclave: id, from, type, content, exp, tags, sig } = line;
    const answer = await next.client.commit({ hash, enclave: id, from, type, content, exp, tags, sig });
    assertError(answer, 'DUPLICATE');
  });
  await check('all of it holds before an independent replay, across the seam', async () => {
    await auditNode(next.client, enclave.id, enclave.owner);
  });
  await check('encctl verify crosses the seam, with heads of both nodes', async () => {
    const memory = fileOf('', 'memory');
    const lines = await Promise.all([old, next].map(async ({ client }) =>
      JSON.stringify({ enclave: enclave.id, ...await client.sth(enclave.id) })));
    fs.writeFileSync(memory, `${lines.join('\n')}\n`);
    const done = await encctl(next.daemon.url, '--key', reader, '--json', 'verify', enclave.id,
      '--remember', memory, '--sequencer', next.client.seqPub);
    assert.equal(done.code, 0, done.out);
    assert.equal(done.lines[0].sequencer, next.client.seqPub);
    assert.ok(done.lines[0].heads >= 3);
    const wrong = await encctl(next.daemon.url, '--key', reader, '--json', 'verify', enclave.id,
      '--sequencer', old.client.seqPub);
    assert.equal(wrong.code, 1);
    assert.equal(wrong.lines[0].fault, 'sequencer');
  });
  await check('subscriptions at the new node get old and new events', async () => {
    const socket = await Socket.open(next.client);
    const sub = socket.query('s', enclave.id, ALL, { as: enclave.owner });
    const stored = await sub.stored();
    const { seq } = await enclave.post(member, 'live');
    const [frame] = await sub.live(1);
    assert.deepEqual([stored.length, frame.event.seq], [seq, seq]);
    await socket.close();
  });
  await check('the registry learns it from the owner, and from nobody else', async () => {
    const registry = `${old.daemon.url}/registry`;
    const elsewhere = await Enclave.create(old.client, wall);
    const register = (key, at, id) => encctl(registry, '--key', key, '--json', 'register', 'enclave',
      id, '--node', at.daemon.url);
    const first = await register(reader, next, enclave.id);
    assert.equal(first.code, 1, 'its first registration is where it began');
    assert.match(first.err + first.out, /INVALID_CONTENT/);
    assert.equal((await register(reader, old, enclave.id)).code, 0);
    const moved = await register(reader, next, enclave.id);
    assert.equal(moved.code, 0, moved.err + moved.out);
    const row = (await old.client.get(`/registry/enclaves/${enclave.id}`)).json;
    assert.equal(row.node_pub, next.client.seqPub);
    const found = await encctl(registry, '--json', 'resolve', enclave.id);
    assert.equal(found.code, 0, found.err + found.out);
    assert.equal(found.lines[0].enclave.node_pub, next.client.seqPub);
    const stranger = await register(keyFile(newKey()), next, enclave.id);
    assert.equal(stranger.code, 1);
    assert.equal((await register(keyFile(elsewhere.owner), old, elsewhere.id)).code, 0);
  });
  await check('imported twice: refused', async () => {
    await refusedImport(next, snapshot, /here already/);
  });
  await check('fsck of the new node after commits; restart; still sound', async () => {
    assert.equal((await next.offline((data) => encctl(NOWHERE, 'fsck', data))).code, 0);
    await auditNode(next.client, enclave.id, enclave.owner);
  });
  await check('what was paused moves paused', async () => {
    const quiet = await Enclave.create(old.client, forum);
    old.host(quiet);
    await quiet.add(quiet.owner, 'Pause', '');
    await migrate(quiet, next.client.seqPub);
    const { out } = await old.export(quiet.id);
    assert.equal((await next.import(out)).code, 0);
    old.guests = [];
    next.host(quiet);
    assertError(await quiet.tryAdd(quiet.owner, 'Post', 'x'), 'ENCLAVE_PAUSED');
    await quiet.add(quiet.owner, 'Resume', '');
    await quiet.post(quiet.owner);
    await auditNode(next.client, quiet.id, quiet.owner);
  });
});
