// One enclave as its events make it: steps 5 to 11 of the pipeline (protocol.md 3 to 7), in memory.

import { acOutcome, isAc, maskOf } from './ac.mjs';
import { isHex } from './bytes.mjs';
import { enclaveId } from './commit.mjs';
import { ctLeaf, merkleRoot } from './ct.mjs';
import { parseManifest, parseObject } from './manifest.mjs';
import * as rbac from './rbac.mjs';
import { RBAC, STATUS, Smt, smtKey } from './smt.mjs';

const FINAL = { terminated: 'ENCLAVE_TERMINATED', migrated: 'ENCLAVE_MIGRATED' };
const WHEN_PAUSED = new Set(['Resume', 'Terminate', 'Migrate']);
const BECOMES = { Pause: 'paused', Resume: 'active', Terminate: 'terminated', Migrate: 'migrated' };
const DELETED_VALUE = '00';

/** id (hex64) of the first r tag, or null. */
export function targetId({ tags }) {
  const tag = tags.find(([key]) => key === 'r');
  return isHex(tag?.[1], 32) ? tag[1].toLowerCase() : null;
}

export const isEdit = (type) => type === 'Update' || type === 'Delete';

export class Model {
  status = 'active';
  seq = -1;
  timestamp = 0;
  smt = new Smt();
  world = null; /* { rbac, masks, gates } of ac.mjs */
  entries = new Map(); /* id -> { event, status, updated_by?, deleted_by? } */
  bundles = []; /* closed: { ids, events_root, state_hash, leaf } */
  open = []; /* events of the open bundle */
  #hashes = new Set();
  #typeSeqs = new Map();
  #leaves = [];

  constructor(seqPub) {
    this.seqPub = seqPub;
  }

  get stateHash() {
    return this.smt.root;
  }

  get ctRoot() {
    return merkleRoot(this.#leaves);
  }

  get leaves() {
    return this.#leaves;
  }

  nextTypeSeq(type) {
    return (this.#typeSeqs.get(type) ?? 0) + 1;
  }

  /** null when the node has to accept this commit at this moment, else the code it refuses with. */
  judge(commit, now = Date.now()) {
    if (this.#hashes.has(commit.hash)) return 'DUPLICATE';
    if (rbac.RESERVED_TYPES.has(commit.type)) return 'INVALID_COMMIT';
    if (isEdit(commit.type) && !targetId(commit)) return 'INVALID_COMMIT';
    return this.#lifecycleFault(commit) ?? this.#rightsFault(commit, now);
  }

  #lifecycleFault(commit) {
    if (commit.type === 'Manifest') return this.#manifestFault(commit);
    if (!this.world) return 'ENCLAVE_NOT_FOUND';
    if (FINAL[this.status]) return FINAL[this.status];
    return this.status === 'paused' && !WHEN_PAUSED.has(commit.type) ? 'ENCLAVE_PAUSED' : null;
  }

  #manifestFault(commit) {
    if (this.world) return 'ENCLAVE_EXISTS';
    if (commit.enclave !== enclaveId(commit)) return 'INVALID_MANIFEST';
    return parseManifest(commit.content, this.seqPub) ? null : 'INVALID_MANIFEST';
  }

  #rightsFault(commit, now) {
    if (commit.type === 'Manifest') return null;
    if (isEdit(commit.type)) return this.#editFault(commit);
    if (isAc(commit.type)) return acOutcome(this.world, commit).code ?? null;
    if (!this.permits(commit.from, commit.type, 'C')) return 'UNAUTHORIZED';
    if (BECOMES[commit.type]) return this.#lifecycleContentFault(commit, now);
    return this.#gateShut(commit) ? 'GATE_CLOSED' : null;
  }

  #gateShut({ type, from }) {
    const owner = maskOf(this.world, from) & rbac.OWNER_BIT;
    return this.world.gates.get(type) === false && !owner;
  }

  #editFault(commit) {
    const target = this.entries.get(targetId(commit));
    if (!target) return 'EVENT_NOT_FOUND';
    if (rbac.PREDEFINED.has(target.event.type)) return 'INVALID_CONTENT';
    const op = commit.type === 'Update' ? 'U' : 'D';
    const self = target.event.from === commit.from;
    if (!this.permits(commit.from, target.event.type, op, self)) return 'UNAUTHORIZED';
    if (target.status === 'deleted') return 'ALREADY_DELETED';
    const plain = commit.type === 'Update' || commit.content === '' || parseObject(commit.content);
    return plain ? null : 'INVALID_CONTENT';
  }

  #lifecycleContentFault(commit, now) {
    if (commit.type === 'Migrate') return this.#migrateFault(parseObject(commit.content), now);
    if (commit.content !== '' && !parseObject(commit.content)) return 'INVALID_CONTENT';
    return commit.type === 'Resume' && this.status === 'active' ? 'INVALID_COMMIT' : null;
  }

  #migrateFault(content, now) {
    if (!content || !isHex(content.new_sequencer, 32)) return 'INVALID_CONTENT';
    if (content.prev_seq !== this.seq) return 'INVALID_CONTENT';
    const root = this.bundleDue(now) ? this.#rootWithOpen() : this.ctRoot;
    return content.ct_root === root ? null : 'INVALID_CONTENT';
  }

  #rootWithOpen() {
    return merkleRoot([...this.#leaves, this.#openBundle().leaf]);
  }

  /** Whether pub may do op on type; self as protocol.md 5.3. */
  permits(pub, type, op, self = false) {
    const context = { self, authenticated: pub !== null };
    return rbac.permits(this.world.rbac, maskOf(this.world, pub), type, op, context);
  }

  /** Whether reader (pub; null = Public) sees this event (5.6, clarifications 31, 84). */
  reads(reader, event) {
    if (this.permits(reader, event.type, 'R', event.from === reader)) return true;
    const target = isEdit(event.type) && this.entries.get(targetId(event));
    if (!target) return false;
    return this.permits(reader, target.event.type, 'R', target.event.from === reader);
  }

  /** Add an event that judge() let pass. */
  add(event) {
    if (this.bundleDue(event.timestamp)) this.closeBundle();
    this.seq = event.seq;
    this.timestamp = event.timestamp;
    this.#hashes.add(event.hash);
    this.#typeSeqs.set(event.type, this.nextTypeSeq(event.type));
    this.entries.set(event.id, { event, status: 'active' });
    this.#applyEffect(event);
    this.#bundle(event);
  }

  #applyEffect(event) {
    if (event.type === 'Manifest') this.#begin(event);
    else if (isEdit(event.type)) this.#edit(event);
    else if (isAc(event.type)) this.#setWorld(acOutcome(this.world, event).world);
    else if (BECOMES[event.type]) this.#become(event);
  }

  #begin(event) {
    const { rbac: rules, bundle, initial } = parseManifest(event.content, this.seqPub);
    this.enclave = event.enclave;
    this.config = bundle;
    this.world = { rbac: rules, masks: new Map(), gates: new Map() };
    this.#setWorld({ ...this.world, masks: new Map(initial) });
  }

  #setWorld(world) {
    for (const [pub, mask] of world.masks) {
      if (this.world.masks.get(pub) === mask) continue;
      this.smt.set(smtKey(RBAC, pub), rbac.maskValue(mask));
    }
    this.world = world;
  }

  #edit(event) {
    const target = this.entries.get(targetId(event));
    const updated = event.type === 'Update';
    target.status = updated ? 'updated' : 'deleted';
    target[updated ? 'updated_by' : 'deleted_by'] = event.id;
    this.smt.set(smtKey(STATUS, target.event.id), updated ? event.id : DELETED_VALUE);
  }

  /** The node that the last Migrate names goes on. */
  takeOver() {
    [this.seqPub, this.status] = [this.newSequencer, this.statusBefore];
    this.newSequencer = null;
  }

  #become(event) {
    this.statusBefore = this.status;
    this.status = BECOMES[event.type];
    if (event.type === 'Migrate') this.newSequencer = parseObject(event.content).new_sequencer;
  }

  #bundle(event) {
    this.open.push(event);
    if (this.open.length >= this.config.size || FINAL[this.status]) this.closeBundle();
  }

  /** Whether rule 3 of protocol.md 7.1 closes the open bundle at this time. */
  bundleDue(now) {
    if (this.open.length === 0 || this.config.timeout === 0) return false;
    return now - this.open[0].timestamp >= this.config.timeout;
  }

  closeBundle() {
    const bundle = this.#openBundle();
    this.bundles.push(bundle);
    this.#leaves.push(bundle.leaf);
    this.open = [];
  }

  #openBundle() {
    const ids = this.open.map((event) => event.id);
    const [eventsRoot, stateHash] = [merkleRoot(ids), this.stateHash];
    return { ids, events_root: eventsRoot, state_hash: stateHash,
      leaf: ctLeaf(eventsRoot, stateHash) };
  }

  /** { li, index, bundle } of a bundled event, or null. */
  bundleOf(id) {
    const li = this.bundles.findIndex(({ ids }) => ids.includes(id));
    if (li < 0) return null;
    const bundle = this.bundles[li];
    return { li, index: bundle.ids.indexOf(id), bundle };
  }

  /** SMT value that a raw key must have. */
  stateOf(namespace, raw) {
    return this.smt.get(smtKey(namespace, raw));
  }
}
