// Everything that a node does, at once: commits of every kind over HTTP and WebSocket, pushes to a
// receiver, DataViews, bundles that a timer closes, enclaves that come, end and leave memory. What
// its clients were told is kept, whatever becomes of the node.

import assert from 'node:assert/strict';
import { Replay } from '../replay/log.mjs';
import { fetchLog } from '../replay/audit.mjs';
import { Workload } from '../replay/workload.mjs';
import { Client } from '../wire/lib/client.mjs';
import { verifyConsistency, verifySth } from '../wire/lib/ct.mjs';
import { eventOf, receiptOf } from '../wire/lib/event.mjs';
import { Enclave, forum, wall } from '../wire/lib/fixtures.mjs';
import { newKey } from '../wire/lib/keys.mjs';
import { makeCommit } from '../wire/lib/commit.mjs';
import { openPush } from '../wire/lib/receiver.mjs';
import { clearProof, makeSession, NO_ENCLAVE } from '../wire/lib/session.mjs';
import { Socket } from '../wire/lib/socket.mjs';
import { sleep, until } from '../wire/lib/wait.mjs';

export const SETTINGS = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true',
  ENCLAVED_LIMITS_IDLE_MS: '150' };

const IN_FLIGHT = 12;
const REPEATED = 3;
const HEADS_KEPT = 5;
const DRAINING = 503;
const BUNDLES = [{ size: 3, timeout: 0 }, { size: 50, timeout: 40 }, { size: 1, timeout: 0 },
  { size: 7, timeout: 100 }];

/** Connections break when the node dies: that is no failure, an answer that is wrong is. */
const broken = (error) => ['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(error.code) ||
  /socket hang up|other side closed/.test(error.message);

/** What clients know of one enclave: receipts by hash, heads, commits without an answer. */
class Ledger {
  receipts = new Map();
  ids = []; /* by seq, over all lives of the node */
  heads = [];
  unanswered = new Set();

  constructor(enclave, reader) {
    Object.assign(this, { enclave, reader, count: 0 });
    this.keep(enclave.manifest, enclave.receipt);
  }

  get client() {
    return this.enclave.client;
  }

  turnTo(client) {
    this.enclave.client = client;
  }

  keep(commit, receipt) {
    const { seq, id } = receipt;
    assert.equal(receipt.hash, commit.hash);
    assert.ok(!this.ids[seq] || this.ids[seq] === id, `seq ${seq} is used twice`);
    this.ids[seq] = id;
    this.receipts.set(commit.hash, receipt);
    this.unanswered.delete(commit);
  }

  /** Commit it and keep the receipt; the answer, which may be a refusal that `may` names. */
  async commit(commit, may = []) {
    this.unanswered.add(commit);
    const answer = await this.client.commit(commit);
    if (answer.status === DRAINING) return answer;
    if (answer.status === 200) this.keep(commit, answer.json);
    else assert.ok(may === true || may.includes(answer.json?.code), answer.text);
    if (answer.status !== 200) this.unanswered.delete(commit);
    return answer;
  }

  async head() {
    const sth = await this.client.sth(this.enclave.id);
    assert.ok(verifySth(sth, this.client.seqPub));
    this.heads = [...this.heads, sth].slice(-HEADS_KEPT);
  }

  /** Every receipt as the log has it now, no seq and no commit twice; the log. */
  async verify() {
    const log = await fetchLog(this.client, this.enclave.id, this.reader);
    assert.deepEqual(log.map(({ event }) => event.seq), log.map((_, i) => i), 'seq 0, 1, 2 …');
    const byHash = new Map(log.map(({ event }) => [event.hash, event]));
    assert.equal(byHash.size, log.length, 'no commit twice');
    for (const [hash, receipt] of this.receipts) {
      assert.ok(byHash.has(hash), `acknowledged seq ${receipt.seq} is lost`);
      assert.equal(JSON.stringify(receiptOf(byHash.get(hash))), JSON.stringify(receipt));
    }
    log.forEach(({ event }) => {
      assert.ok(!this.ids[event.seq] || this.ids[event.seq] === event.id, 'a seq used twice');
      this.ids[event.seq] = event.id;
    });
    await this.#repeat(byHash);
    await this.compareHeads();
    return log;
  }

  /** Commits without an answer may be in the log or not; a repeat gets the truth. */
  async #repeat(byHash) {
    for (const commit of [...this.unanswered].slice(-REPEATED)) {
      const there = byHash.has(commit.hash);
      const answer = await this.client.commit(commit);
      if (there) assert.equal(answer.status, 409, answer.text);
      if (there) assert.equal(answer.json.receipt.id, byHash.get(commit.hash).id);
      if (answer.status === 200) this.keep(commit, answer.json);
    }
    this.unanswered.clear();
  }

  async compareHeads() {
    const { id } = this.enclave;
    const now = await this.client.sth(id);
    for (const head of this.heads) {
      const proof = await this.client.consistency(id, head.ts, now.ts);
      assert.ok(verifyConsistency(proof, head.r, now.r), `head ${head.ts} and ${now.ts}`);
    }
    this.heads = [now];
  }
}

/** Many short commits in flight on one socket, others by HTTP. */
class Wall extends Ledger {
  static async create(client, bundle) {
    return new Wall(await Enclave.create(client, wall, { bundle }), null);
  }

  next() {
    return this.enclave.make(this.enclave.owner, 'Post', `${this.count++}`);
  }

  async step(random) {
    await (random.chance(85) ? this.commit(this.next()) : this.head());
  }

  async stream(signal) {
    const socket = await Socket.open(this.client).catch(() => null);
    const waiting = new Map();
    while (socket && !signal.aborted && !socket.closed) {
      for (; waiting.size < IN_FLIGHT && !signal.aborted; ) this.#send(socket, waiting);
      await sleep(2);
      this.#take(socket, waiting);
    }
    await sleep(30);
    if (socket) this.#take(socket, waiting);
  }

  #send(socket, waiting) {
    const commit = this.next();
    waiting.set(commit.hash, commit);
    this.unanswered.add(commit);
    socket.commit(commit);
  }

  #take(socket, waiting) {
    for (const frame of socket.rest.frames.splice(0)) {
      if (frame.type === 'Notice' || ['RATE_LIMITED', 'BUSY'].includes(frame.code)) continue;
      assert.equal(frame.type, 'Receipt', JSON.stringify(frame));
      this.keep(waiting.get(frame.hash), frame);
      waiting.delete(frame.hash);
    }
  }
}

/** Commits of every kind, each pushed to a receiver. */
class Forum extends Ledger {
  static async create(client, random, receiver, bundle) {
    const auditor = newKey();
    const enclave = await Enclave.create(client, forum,
      { bundle, initial: { Admin: [auditor.pub] } });
    const self = new Forum(enclave, auditor);
    const hook = { key: newKey(), path: `/${enclave.id}`, receiver };
    const grant = enclave.make(enclave.owner, 'Grant_Push', { identity: hook.key.pub,
      role: 'Sink', endpoint: receiver.url(hook.path) });
    await self.commit(grant);
    const workload = Workload.withPeople(random, enclave.owner, 4);
    Object.assign(self, { hook, workload, replay: new Replay() });
    self.replay.pushAll(await fetchLog(client, enclave.id, auditor));
    return self;
  }

  async step(random) {
    if (random.chance(10)) return this.head();
    const commit = this.workload.next(this.enclave, this.replay.model);
    const foretold = this.replay.model.judge(commit);
    const answer = await this.commit(commit, true);
    if (answer.status === DRAINING) return null;
    assert.equal(answer.json.code, foretold ?? undefined, `${commit.type} ${answer.text}`);
    if (!foretold) this.replay.model.add(eventOf(commit, answer.json));
    return null;
  }

  /** The model learns of what was accepted without an answer. */
  async verify() {
    const log = await super.verify();
    const { model } = this.replay;
    const news = (await fetchLog(this.client, this.enclave.id, this.reader)).slice(model.seq + 1);
    news.forEach(({ event }) => this.replay.push(event));
    return log;
  }

  /** Every event from the grant on was delivered, in order, each payload always the same. */
  async verifyPushes() {
    const { hook, replay: { model } } = this;
    const due = Array.from({ length: model.seq }, (_, i) => i + 1);
    const seqs = () => this.#pushed().flatMap((body) => body.push.map((event) => event.seq));
    await until(() => seqs().at(-1) === model.seq, `pushes of ${model.seq + 1} events`, 30_000);
    assert.deepEqual(seqs(), due, `pushed on ${hook.path}`);
  }

  #pushed() {
    const { receiver, path, key } = this.hook;
    const payloads = [];
    for (const { payload, text, status } of receiver.on(path)) {
      const n = payload.push_seq;
      assert.ok(n <= payloads.length + 1, `push_seq ${n} behind ${payloads.length}`);
      const known = payloads[n - 1];
      assert.ok(!known || known.text === text, `push_seq ${n} twice, with other contents`);
      const taken = known?.taken || status === 200;
      assert.ok(n === 1 || payloads[n - 2].taken, `push_seq ${n} before ${n - 1} was taken`);
      payloads[n - 1] = { text, payload, taken };
    }
    return payloads.filter((one) => one.taken)
      .map((one) => this.#open(one, key));
  }

  #open(one, key) {
    one.body ??= openPush(one.payload, key, this.client.seqPub);
    return one.body;
  }
}

class Mounted extends Client {
  get = (path) => super.get(`/timeline${path}`);

  post = (path, body) => super.post(`/timeline${path}`, body);
}

/** Posts, likes and profiles, which become rows of a DataView. */
class Timeline extends Ledger {
  turnTo(client) {
    super.turnTo(new Mounted(client.url, client.seqPub));
  }

  /** No proofs below this mount; fsck looks at its heads. */
  compareHeads() {}

  static async create(client) {
    const owner = newKey();
    const proof = clearProof(makeSession(owner), client.seqPub, NO_ENCLAVE);
    const answer = await client.post('/timeline/_bootstrap', { owner: owner.pub, ...proof });
    const { enclave: id, manifest, receipt } = answer.json;
    const make = (key, type, content, more) => makeCommit(key, id, type, content, more);
    const self = new Timeline({ id, owner, manifest, receipt, make }, null);
    self.turnTo(client);
    return self;
  }

  async step(random) {
    const { owner, make } = this.enclave;
    const n = this.count++;
    if (random.chance(20) && this.last) {
      const tags = { tags: [['r', this.last]] };
      const gone = random.chance(50);
      this.last = gone ? null : this.last;
      const commit = make(owner, gone ? 'Delete' : 'Update', gone ? '' : `{"text":"again ${n}"}`,
        tags);
      return this.commit(commit, ['EVENT_NOT_FOUND', 'TARGET_NOT_FOUND', 'UNAUTHORIZED']);
    }
    if (random.chance(30) && this.last) {
      return this.commit(make(newKey(), 'Like', JSON.stringify({ ref_id: this.last })), true);
    }
    const type = random.chance(85) ? 'Post' : 'Profile';
    const content = type === 'Post' ? { text: `words and more words ${n}` } :
      { display_name: `name ${n}`, bio: 'b' };
    const answer = await this.commit(make(owner, type, JSON.stringify(content)));
    if (type === 'Post' && answer.status === 200) this.last = answer.json.id;
    return answer;
  }
}

/** Enclaves that are made, ended and never heard of again. */
class Brief {
  ledgers = [];

  constructor(client) {
    this.client = client;
  }

  async step(random) {
    const one = await Wall.create(this.client, BUNDLES[random.below(BUNDLES.length)]);
    this.ledgers.push(one);
    await one.commit(one.next());
    const { enclave } = one;
    if (random.chance(50)) await one.commit(enclave.make(enclave.owner, 'Terminate', ''));
  }

  turnTo(client) {
    this.client = client;
    this.ledgers.forEach((ledger) => ledger.turnTo(client));
  }

  async verify() {
    for (const one of this.ledgers.slice(-5)) await one.verify();
  }
}

export class Load {
  static async create(client, random, receiver) {
    const load = new Load();
    const timed = [BUNDLES[1], BUNDLES[0]];
    load.random = random;
    load.walls = await Promise.all(BUNDLES.map((bundle) => Wall.create(client, bundle)));
    load.forums = [];
    for (const bundle of timed) {
      load.forums.push(await Forum.create(client, random, receiver, bundle));
    }
    load.timelines = [await Timeline.create(client), await Timeline.create(client)];
    load.brief = new Brief(client);
    return load;
  }

  get ledgers() {
    return [...this.walls, ...this.forums, ...this.timelines, this.brief];
  }

  get acknowledged() {
    return [...this.walls, ...this.forums, ...this.timelines, ...this.brief.ledgers]
      .reduce((sum, ledger) => sum + ledger.receipts.size, 0);
  }

  turnTo(client) {
    this.ledgers.forEach((ledger) => ledger.turnTo(client));
  }

  /** Until signal, or until the node is gone. */
  run(signal) {
    const all = Promise.all([...this.ledgers.map((ledger) => this.#drive(ledger, signal)),
      ...this.walls.slice(0, 2).map((one) => one.stream(signal))]);
    all.catch(() => {}); /* whoever waits for it hears of it */
    return all;
  }

  /** For a while, with a node that lives on. */
  async runFor(ms) {
    const stop = new AbortController();
    const done = this.run(stop.signal);
    await sleep(ms);
    stop.abort();
    await done;
  }

  async #drive(ledger, signal) {
    while (!signal.aborted) {
      try {
        await ledger.step(this.random);
        if (this.random.chance(8)) await sleep(this.random.below(250)); /* it may leave memory */
      } catch (error) {
        if (!broken(error)) throw error;
        return;
      }
    }
  }

  async verify() {
    for (const ledger of this.ledgers) await ledger.verify();
  }

  async verifyPushes() {
    for (const one of this.forums) await one.verifyPushes();
  }
}
