// A node in memory: sequences commits by the model, and answers an audit from it.

import { makeCommit, makeManifest } from '../wire/lib/commit.mjs';
import * as ct from '../wire/lib/ct.mjs';
import { finalise } from '../wire/lib/event.mjs';
import { Model } from '../wire/lib/model.mjs';
import { RBAC, STATUS, smtKey } from '../wire/lib/smt.mjs';
import { keyOfSeed } from '../wire/lib/keys.mjs';

const START_MS = 1_750_000_000_000;
const EXP_MS = 60_000;

export class LocalNode {
  events = [];
  now = START_MS;
  key = keyOfSeed('enc-test-sequencer');
  model = new Model(this.key.pub);

  static create(owner, content) {
    const node = new LocalNode();
    const manifest = makeManifest(owner, content, { exp: node.now + EXP_MS });
    node.owner = owner;
    node.enclave = manifest.enclave;
    node.must(manifest);
    return node;
  }

  get seqPub() {
    return this.key.pub;
  }

  make(key, type, content, more) {
    return makeCommit(key, this.enclave, type, content, { exp: this.now + EXP_MS, ...more });
  }

  /** { receipt } or { code }, as over the wire. */
  submit(commit) {
    this.now += 7;
    const code = this.model.judge(commit, this.now);
    return code ? { code } : { receipt: this.#append(this.sequence(commit)) };
  }

  must(commit) {
    const { receipt, code } = this.submit(commit);
    if (code) throw new Error(`${commit.type}: ${code}`);
    return receipt;
  }

  add(key, type, content, more) {
    return this.must(this.make(key, type, content, more));
  }

  /** The event that a sequencer without scruples would make of a commit. */
  sequence(commit, more = {}) {
    const { model } = this;
    const place = { seq: model.seq + 1, type_seq: model.nextTypeSeq(commit.type),
      timestamp: this.now };
    return finalise(commit, this.key, { ...place, ...more });
  }

  #append(event) {
    this.model.add(event);
    this.events.push(event);
    return event;
  }

  async info() {
    const { model } = this;
    return { enclave: this.enclave, sequencer: this.seqPub, status: model.status, seq: model.seq,
      state_hash: model.stateHash, bundle: model.config,
      ct: { ts: model.leaves.length, r: model.ctRoot } };
  }

  async sth() {
    const { model } = this;
    return ct.signSth({ t: Date.now(), ts: model.leaves.length, r: model.ctRoot }, this.key.priv);
  }

  async consistency(_enclave, from, to) {
    return { ts1: from, ts2: to, p: ct.consistencyPath(this.model.leaves.slice(0, to), from) };
  }

  async prove(route, _enclave, members) {
    const content = this[route](members);
    return content ? { status: 200, content } : { status: 409, json: { code: 'NOT_BUNDLED' } };
  }

  state({ namespace, key }) {
    const { model } = this;
    const proof = model.smt.prove(smtKey(namespace === 'rbac' ? RBAC : STATUS, key));
    const li = model.bundles.findLastIndex((bundle) => bundle.state_hash === model.stateHash);
    return { ...proof, state_hash: model.stateHash, li: li < 0 ? null : li };
  }

  bundle({ event_id: id }) {
    const place = this.model.bundleOf(id);
    if (!place) return null;
    const { li, index, bundle } = place;
    return { li, events_root: bundle.events_root, event_id: id, bundle_index: index,
      bundle_size: bundle.ids.length, siblings: ct.merklePath(bundle.ids, index) };
  }

  inclusion({ leaf_index: leaf, event_id: id, tree_size: ts = this.model.leaves.length }) {
    const li = leaf ?? this.model.bundleOf(id).li;
    const { events_root, state_hash } = this.model.bundles[li];
    const path = ct.merklePath(this.model.leaves.slice(0, ts), li);
    return { ts, li, p: path, events_root, state_hash };
  }
}
