#!/usr/bin/env node
// Two nodes: an enclave of A pushes into timelines of B, which is down for a while, misses payloads
// and asks for them; the registry of A knows what is on B (protocol.md 10, 11.3, 11.5, 11.7).

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { runSuite } from './lib/check.mjs';
import { makeCommit, nonce } from './lib/commit.mjs';
import { encctl } from './lib/encctl.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { Enclave, refersTo } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { keyOf, newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { until } from './lib/wait.mjs';

const ENV = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true',
  ENCLAVED_BOOTSTRAP_OPEN: 'true' };
const ALL = { status: ['active', 'updated', 'deleted'] };
const PATIENT_MS = 15_000;

const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** A node that keeps its address over restarts. */
async function startNode(env = {}) {
  const args = ['--listen', `127.0.0.1:${await freePort()}`];
  return Daemon.start({ args, env: { ...ENV, ...env } });
}

/** A timeline of somebody new on a node. */
class Timeline {
  static async create(node) {
    const owner = newKey();
    const { json } = await node.client.post('/timeline/_bootstrap', { owner: owner.pub });
    return Object.assign(new Timeline(), { node, owner, id: json.enclave });
  }

  get pushUrl() {
    return `${this.node.url}/timeline/enclave/${this.id}/push`;
  }

  async write(type, content, more) {
    const commit = makeCommit(this.owner, this.id, type, content, more);
    return assertOk(await this.node.client.post(`/timeline/enclave/${this.id}`, commit)).json;
  }

  follow = (enclave, node, uri) => this.write('Follow',
    { enclave: enclave.id, pub: node.client.seqPub, ...(uri && { uri }) });

  async read(action) {
    return assertOk(await this.node.client.get(`/timeline/enclave/${this.id}${action}`)).json;
  }

  /** The whole feed, all pages. */
  async feed() {
    const posts = [];
    for (let before = ''; ;) {
      const page = await this.read(`/feed?limit=7${before}`);
      posts.push(...page.posts);
      if (page.next === null) return posts;
      before = `&before=${page.next}`;
    }
  }

  synced = async (enclave) => (await this.read('/health')).synced[enclave.id];
}

/** An enclave on a node whose events are pushed to a timeline. */
async function pushTo(node, timeline) {
  const enclave = await Enclave.create(node.client);
  await enclave.add(enclave.owner, 'Grant_Push',
    { identity: timeline.node.client.seqPub, role: 'Sink', endpoint: timeline.pushUrl });
  return enclave;
}

const say = (enclave, text = nonce()) =>
  enclave.post(enclave.owner, JSON.stringify({ text }));

/** What a log says that a feed must show: newest first, then by id. */
async function expectedOf(enclave) {
  const log = await enclave.client.queryAll(enclave.id, ALL, { as: enclave.owner });
  const byId = new Map(log.map(({ event }) => [event.id, event]));
  const posts = log.filter(({ event, status }) => event.type === 'Post' && status !== 'deleted');
  return posts.map(({ event, status, updated_by: by }) => ({
    enclave: enclave.id, seq: event.seq, id: event.id, from_pub: event.from,
    timestamp: event.timestamp,
    text: JSON.parse((status === 'updated' ? byId.get(by) : event).content).text,
  }));
}

const newestFirst = (a, b) => b.timestamp - a.timestamp || (a.id < b.id ? 1 : -1);

const shown = ({ enclave, seq, id, from_pub, timestamp, text }) =>
  ({ enclave, seq, id, from_pub, timestamp, text });

/** Wait until the timeline has all of these logs, then compare event by event. */
async function feedEquals(timeline, enclaves, timeout = PATIENT_MS) {
  for (const enclave of enclaves) {
    const { seq } = await enclave.client.info(enclave.id);
    await until(async () => (await timeline.synced(enclave)) === seq,
      `event ${seq} of ${enclave.id.slice(0, 8)}`, timeout);
  }
  const expected = (await Promise.all(enclaves.map(expectedOf))).flat().sort(newestFirst);
  const got = (await timeline.feed()).map(shown);
  assert.deepEqual(got.slice().sort(newestFirst), expected);
  assert.deepEqual(got.map((post) => post.timestamp), expected.map((post) => post.timestamp));
}

/** { closed, given_up } of a node's metrics. */
async function gapsOf(node) {
  const { text } = await request('GET', node.admin, '/metrics');
  const value = (result) => Number(text.match(
    new RegExp(`enclaved_push_gaps_total\\{result="${result}"\\} (\\d+)`))[1]);
  return { closed: value('closed'), given_up: value('given_up') };
}

/** Change a text of the same length in the store wherever it does not stand in an event. */
function changeRows(node, text, other) {
  const file = path.join(node.data, 'shard-0', 'data.mdb');
  const bytes = fs.readFileSync(file);
  let count = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    if (bytes[at - 1] === '"'.charCodeAt(0)) continue; /* JSON: an event's content */
    count += bytes.write(other, at) > 0;
  }
  fs.writeFileSync(file, bytes);
  return count;
}

const nodeKey = (node) => keyOf(new Uint8Array(Buffer.from(
  fs.readFileSync(path.join(node.data, 'node.key'), 'utf8').trim(), 'hex')));

async function register(registry, key, type, content) {
  const { enclave } = assertOk(await registry.client.get('/registry/info/enclave')).json;
  assertOk(await registry.client.post('/registry', makeCommit(key, enclave, type, content)));
}

const registerNode = (registry, node) => register(registry, nodeKey(node), 'Reg_Node', {
  seq_pub: node.client.seqPub, endpoints: [{ uri: node.url, priority: 1 }],
  protocols: ['http'], enc_v: 1 });

await runSuite(async ({ check }) => {
  const a = await startNode();
  const hasty = await startNode({ ENCLAVED_LIMITS_PUSH_ATTEMPTS: '1' });
  const b = await startNode();
  const timeline = await Timeline.create(b);
  const first = await pushTo(a, timeline);

  await check('16.70 what is not followed is refused, and is delivered once it is', async () => {
    await say(first);
    await timeline.follow(first, a, a.url);
    await say(first);
    await feedEquals(timeline, [first]);
  });
  await check('posts flow, with Updates and Deletes', async () => {
    const posts = [];
    for (let i = 0; i < 5; i++) posts.push(await say(first));
    await first.add(first.owner, 'Update', JSON.stringify({ text: 'better' }),
      refersTo(posts[1].id));
    await first.add(first.owner, 'Delete', '', refersTo(posts[2].id));
    await feedEquals(timeline, [first]);
    const texts = (await timeline.feed()).map((post) => post.text);
    assert.ok(texts.includes('better'));
    assert.equal(texts.length, 6);
  });
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    await check(`10.3 B is down (${signal}): retries deliver`, async () => {
      await b.signal(signal);
      for (let i = 0; i < 3; i++) await say(first);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await b.start();
      await say(first);
      await feedEquals(timeline, [first]);
    });
  }
  const second = await pushTo(hasty, timeline);
  await check('8.5 payloads that A gave up are asked for: the gap closes', async () => {
    await timeline.follow(second, hasty, hasty.url);
    await say(second);
    await feedEquals(timeline, [first, second]);
    const { closed } = await gapsOf(b);
    await b.stop();
    for (let i = 0; i < 7; i++) {
      await say(second);
      await new Promise((resolve) => setTimeout(resolve, 100)); /* payloads of their own */
    }
    await b.start();
    await say(second);
    await feedEquals(timeline, [first, second]);
    const gaps = await gapsOf(b); /* counted since its start */
    assert.ok(gaps.closed >= 1, `${closed} before, ${JSON.stringify(gaps)}`);
    assert.equal(gaps.given_up, 0);
  });
  await check('11.3 without a uri the own registry tells where to ask', async () => {
    const other = await Timeline.create(b);
    const third = await pushTo(hasty, other);
    await registerNode(b, hasty);
    const { manifest } = third;
    const [{ event }] = await hasty.client.queryAll(third.id, { type: 'Manifest' },
      { as: third.owner });
    assert.equal(event.hash, manifest.hash);
    await register(b, third.owner, 'Reg_Enclave',
      { manifest: event, node_pub: hasty.client.seqPub });
    for (let i = 0; i < 2; i++) {
      await say(third);
      await new Promise((resolve) => setTimeout(resolve, 200)); /* refused: not followed yet */
    }
    await other.follow(third, hasty);
    await say(third);
    await feedEquals(other, [third]);
    assert.equal((await gapsOf(b)).given_up, 0);
  });
  await check('16.70 what anybody may send changes nothing', async () => {
    const before = await timeline.feed();
    const push = (body) => b.client.post(`/timeline/enclave/${timeline.id}/push`, body);
    const payload = { type: 'Push', from: a.client.seqPub, to: b.client.seqPub,
      url: timeline.pushUrl, enclave: first.id, push_seq: 1, enc: 'none',
      content: JSON.stringify({ push_seq: 1, enclave: first.id, push: [], notify: [] }),
      sig: '00'.repeat(64) };
    assertError(await push(payload), 'INVALID_PUSH');
    assertError(await push({ ...payload, enclave: 'ab'.repeat(32) }), 'UNAUTHORIZED');
    assertError(await push({ ...payload, to: a.client.seqPub }), 'INVALID_PUSH');
    assertError(await push({}), 'INVALID_PUSH');
    assertError(await push('{'), 'INVALID_REQUEST');
    assert.deepEqual(await timeline.feed(), before);
  });
  await check('11.3 the registry of A resolves a timeline of B', async () => {
    const manifest = await timeline.read('/info/manifest');
    await registerNode(a, b);
    await register(a, timeline.owner, 'Reg_Enclave', { manifest, node_pub: b.client.seqPub });
    await register(a, timeline.owner, 'Reg_Identity',
      { display_name: 'Tim', enclaves: { personal: timeline.id } });
    const { json } = assertOk(await a.client.get(`/registry/resolve/${timeline.id}`));
    assert.equal(json.node.seq_pub, b.client.seqPub);
    const [{ uri }] = json.node.endpoints;
    const info = assertOk(await request('GET', uri,
      `/timeline/enclave/${timeline.id}/info/enclave`)).json;
    assert.deepEqual([info.enclave, info.sequencer], [timeline.id, b.client.seqPub]);
  });

  const project = (...words) => encctl(b.url, 'project', b.data, ...words);
  await check('encctl project --check: every DataView of B is what its events make', async () => {
    await timeline.write('Post', { text: 'mine' });
    await b.stop();
    const { code, out, err } = await project('--check');
    assert.equal(code, 0, out + err);
    const lines = out.trim().split('\n');
    assert.ok(lines.length >= 3, out);
    for (const line of lines) assert.match(line, /^same\s+[0-9a-f]{64}$/);
  });
  await check('encctl project: a row that no event makes is found, and gone after it', async () => {
    await b.start();
    await timeline.write('Post', { text: 'needle' });
    await b.stop();
    assert.ok(changeRows(b, 'needle', 'noodle') > 0);
    const { code, out } = await project('--check');
    assert.equal(code, 1);
    const differing = out.split('\n').filter((line) => line.startsWith('differs'));
    assert.deepEqual(differing.map((line) => line.split(/\s+/)[1]), [timeline.id]);
    assert.equal((await project(timeline.id)).code, 0);
    assert.equal((await project('--check')).code, 0);
  });
  await check('encctl project: made again, byte by byte the same', async () => {
    const { code, out } = await project(timeline.id);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^rebuilt\\s+${timeline.id}\n$`));
    assert.equal((await project()).code, 0);
    const { code: status, lines } = await project('--check', '--json');
    assert.equal(status, 0);
    const one = lines.find((line) => line.enclave === timeline.id);
    assert.equal(one.result, 'same');
    assert.ok(one.pushed > 15 && one.events > 3, JSON.stringify(one));
    assert.equal((await project('ab'.repeat(32))).code, 1);
    assert.equal((await project('ab')).code, 2);
    const before = await (await b.start(), timeline.feed());
    assert.ok(before.some((post) => post.text === 'mine'));
    await say(first);
    await until(async () => (await timeline.feed()).length === before.length + 1, 'the next post');
  });
  for (const node of [a, hasty, b]) assert.equal((await node.stop()).code, 0);
});
