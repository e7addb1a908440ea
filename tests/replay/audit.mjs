// A node's answers about one enclave against the replay of its log, while nothing is committed.

import { assertOk } from '../wire/lib/errors.mjs';
import * as ct from '../wire/lib/ct.mjs';
import { newKey } from '../wire/lib/keys.mjs';
import { RBAC, STATUS, smtKey, verifySmt } from '../wire/lib/smt.mjs';
import { mapWide } from '../wire/lib/wait.mjs';
import { Replay, demand, demandEqual } from './log.mjs';

const WIDTH = 8;
const PAIRS_MAX = 400;
const SLACK_MS = 250;
const NAMESPACES = { rbac: RBAC, event_status: STATUS };

export const ALL_STATUS = { status: ['active', 'updated', 'deleted'] };

/** Every element of an enclave's log, page by page. */
export function fetchLog(client, enclave, reader, limit = 1000) {
  return client.queryAll(enclave, { ...ALL_STATUS, limit }, { as: reader });
}

const content = async (promise) => assertOk(await promise).content;

export class Audit {
  /**
   * client of the node, the model of the log, a key that reads everything; proofs of at most `most`
   * events and leaves are asked for, spread over the log.
   */
  constructor(client, model, reader, most = Infinity) {
    Object.assign(this, { client, model, reader, most, enclave: model.enclave });
  }

  #each(list, body) {
    const step = Math.max(1, Math.ceil(list.length / this.most));
    const some = [...list.entries()].filter(([i]) => i % step === 0 || i === list.length - 1);
    return mapWide(some, WIDTH, ([i, item]) => body(item, i));
  }

  async run() {
    await this.info();
    await this.heads();
    await this.states();
    await this.bundles();
    await this.inclusions();
    await this.consistency();
  }

  async info() {
    const { model } = this;
    const info = await this.client.info(this.enclave);
    this.#timerClose(info.ct.ts);
    const expected = { enclave: this.enclave, sequencer: model.seqPub, status: model.status,
      seq: model.seq, state_hash: model.stateHash, bundle: model.config,
      ct: { ts: model.leaves.length, r: model.ctRoot } };
    for (const [name, value] of Object.entries(expected)) {
      demandEqual(pick(info[name], value), value, 'BAD_INFO', `info.${name}`);
    }
  }

  /** The node's timer may have closed the open bundle since its last event. */
  #timerClose(size) {
    const { model } = this;
    if (size !== model.leaves.length + 1 || model.open.length === 0) return;
    demand(model.bundleDue(Date.now() + SLACK_MS), 'BAD_BUNDLE', 'open bundle', 'closed too early');
    model.closeBundle();
  }

  async heads() {
    const sth = await this.client.sth(this.enclave);
    demand(ct.verifySth(sth, this.model.seqPub), 'BAD_STH', 'sth', 'signature');
    demandEqual(sth.ts, this.model.leaves.length, 'BAD_STH', 'sth.ts');
    demandEqual(sth.r, this.model.ctRoot, 'BAD_STH', 'sth.r');
    demand(sth.t <= Date.now() && sth.t > Date.now() - 60_000, 'BAD_STH', 'sth.t', `${sth.t}`);
    this.sth = sth;
  }

  /** A proof for every identity and event, and for keys that hold nothing. */
  async states() {
    const stranger = newKey().pub;
    const identities = [...this.model.world.masks.keys(), stranger, this.model.seqPub];
    const ids = [...this.model.entries.keys(), stranger];
    await this.#each(identities, (key) => this.#state('rbac', key));
    await this.#each(ids, (key) => this.#state('event_status', key));
  }

  async #state(namespace, key) {
    const where = `state ${namespace} ${key}`;
    const proof = await content(this.#ask('state', { namespace, key }));
    const raw = NAMESPACES[namespace];
    demandEqual(proof.k, smtKey(raw, key), 'BAD_STATE', `${where} k`);
    demandEqual(proof.v, this.model.stateOf(raw, key), 'BAD_STATE', `${where} v`);
    demandEqual(proof.state_hash, this.model.stateHash, 'BAD_STATE', `${where} state_hash`);
    demand(verifySmt(proof, this.model.stateHash), 'BAD_STATE', where, 'proof');
    const li = this.model.bundles.findLastIndex((b) => b.state_hash === this.model.stateHash);
    demandEqual(proof.li, li < 0 ? null : li, 'BAD_STATE', `${where} li`);
  }

  #ask(route, members) {
    return this.client.prove(route, this.enclave, members, { as: this.reader });
  }

  async bundles() {
    await this.#each([...this.model.entries.keys()], (id) => this.#bundle(id));
  }

  async #bundle(id) {
    const answer = await this.#ask('bundle', { event_id: id });
    if (!this.model.bundleOf(id) && answer.status === 200) await this.info(); /* closed by its timer meanwhile */
    const place = this.model.bundleOf(id);
    if (!place) return demandEqual(answer.json.code, 'NOT_BUNDLED', 'BAD_BUNDLE', id);
    const proof = await content(answer);
    const expected = { li: place.li, events_root: place.bundle.events_root, event_id: id,
      bundle_index: place.index, bundle_size: place.bundle.ids.length,
      siblings: ct.merklePath(place.bundle.ids, place.index) };
    demandEqual(pick(proof, expected), expected, 'BAD_BUNDLE', `bundle of ${id}`);
    demand(ct.verifyBundle(proof, proof.events_root), 'BAD_BUNDLE', id, 'proof');
    return null;
  }

  /** By leaf and by the first event of each leaf, in the whole tree and in smaller ones. */
  async inclusions() {
    await this.#each(this.model.bundles, async (bundle, li) => {
      await this.#inclusion({ leaf_index: li }, li, this.model.leaves.length);
      await this.#inclusion({ event_id: bundle.ids[0] }, li, this.model.leaves.length);
      const size = li + 1 + Math.floor((this.model.leaves.length - li - 1) / 2);
      await this.#inclusion({ leaf_index: li, tree_size: size }, li, size);
    });
  }

  async #inclusion(members, li, ts) {
    const proof = await content(this.#ask('inclusion', members));
    const { events_root, state_hash } = this.model.bundles[li];
    const leaves = this.model.leaves.slice(0, ts);
    const expected = { ts, li, p: ct.merklePath(leaves, li), events_root, state_hash };
    demandEqual(pick(proof, expected), expected, 'BAD_INCLUSION', JSON.stringify(members));
    const root = ct.merkleRoot(leaves);
    demand(ct.verifyInclusion(proof, { ts, r: root }), 'BAD_INCLUSION', `leaf ${li}`, 'proof');
  }

  /** All pairs of sizes while they are few, else a spread of them. */
  async consistency() {
    const size = this.model.leaves.length;
    const pairs = [];
    for (let to = 0; to <= size; to++) {
      for (let from = 0; from <= to; from++) pairs.push([from, to]);
    }
    await this.#each(pairs.length > PAIRS_MAX ? spread(pairs) : pairs,
      ([from, to]) => this.#consistent(from, to));
  }

  async #consistent(from, to) {
    const proof = await this.client.consistency(this.enclave, from, to);
    const [older, newer] = [this.model.leaves.slice(0, from), this.model.leaves.slice(0, to)];
    const expected = { ts1: from, ts2: to, p: ct.consistencyPath(newer, from) };
    demandEqual(pick(proof, expected), expected, 'BAD_CONSISTENCY', `${from} to ${to}`);
    const ok = ct.verifyConsistency(proof, ct.merkleRoot(older), ct.merkleRoot(newer));
    demand(ok, 'BAD_CONSISTENCY', `${from} to ${to}`, 'proof');
  }
}

const spread = (pairs) =>
  pairs.filter((_, i) => i % Math.ceil(pairs.length / PAIRS_MAX) === 0 || i === pairs.length - 1);

/** The members of value that expected names, in its order. */
function pick(value, expected) {
  if (typeof expected !== 'object' || expected === null || !value) return value;
  if (Array.isArray(expected)) return value;
  return Object.fromEntries(Object.keys(expected).map((name) => [name, pick(value[name],
    expected[name])]));
}

/** Fetch, replay and compare one enclave of a node; the model. Throws the first ReplayFault. */
export async function auditNode(client, enclave, reader, most, options) {
  const replay = new Replay(undefined, options);
  replay.pushAll(await fetchLog(client, enclave, reader));
  if (replay.model.newSequencer === client.seqPub && replay.model.seqPub !== client.seqPub) {
    replay.model.takeOver(); /* it came here and has had no commit since */
  }
  demandEqual(replay.model.seqPub, client.seqPub, 'BAD_SEQUENCER', 'log');
  demandEqual(replay.model.enclave, enclave, 'BAD_ENCLAVE', 'log');
  await new Audit(client, replay.model, reader, most).run();
  return replay.model;
}
