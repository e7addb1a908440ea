// A log, event by event: every hash, signature, number and decision is made again.

import { isHex } from '../wire/lib/bytes.mjs';
import { commitFault } from '../wire/lib/commit.mjs';
import { sequencerFault } from '../wire/lib/event.mjs';
import { lifts } from '../wire/lib/keys.mjs';
import { Model, isEdit, targetId } from '../wire/lib/model.mjs';
import { isContentType, isType } from '../wire/lib/rbac.mjs';

const EXP_AHEAD_MS = 3_600_000;
const EXP_PAST_MS = 60_000;
/* An event may wait in the node between the check of exp and its timestamp. */
const WAIT_MS = 30_000;

const SHAPE = {
  id: (v) => isHex(v, 32),
  hash: (v) => isHex(v, 32),
  enclave: (v) => isHex(v, 32),
  from: lifts,
  type: isType,
  content: (v) => typeof v === 'string' || v === null,
  exp: Number.isSafeInteger,
  tags: tagsOk,
  timestamp: Number.isSafeInteger,
  sequencer: lifts,
  seq: Number.isSafeInteger,
  type_seq: Number.isSafeInteger,
  sig: (v) => isHex(v, 64),
  seq_sig: (v) => isHex(v, 64),
};

function tagsOk(tags) {
  if (!Array.isArray(tags) || tags.length > 64) return false;
  return tags.every((tag) => Array.isArray(tag) && tag.length >= 1 && tag.length <= 8 &&
    tag.every((member) => typeof member === 'string' && Buffer.byteLength(member) <= 1024));
}

export class ReplayFault extends Error {
  constructor(code, where, detail = '') {
    super(`${where}: ${code}${detail && ` ${detail}`}`);
    Object.assign(this, { code, where });
  }
}

export function demand(condition, code, where, detail) {
  if (!condition) throw new ReplayFault(code, where, detail);
}

export function demandEqual(actual, expected, code, where) {
  const [got, want] = [actual, expected].map((value) => JSON.stringify(value) ?? 'nothing');
  demand(got === want, code, where, `${got}, must be ${want}`);
}

/** Contents that a node may erase: deleted events and their Updates. */
const erasable = (type) => isContentType(type) || type === 'Update';

export class Replay {
  erased = []; /* ids of events that came without content */

  /** hasTime false: the node's clock jumped, and a timestamp says nothing of when a commit came. */
  constructor(seqPub, { hasTime = true } = {}) {
    this.model = new Model(seqPub);
    this.hasTime = hasTime;
  }

  /** Take the next event; throws ReplayFault at the first thing that is wrong with it. */
  push(event) {
    const where = `event ${event?.seq}`;
    this.#shape(event, where);
    this.#place(event, where);
    const fault = commitFault(event) ?? sequencerFault(event, this.#sequencer(event));
    demand(!fault, fault, where);
    this.#expiry(event, where);
    const refusal = this.model.judge(event, event.timestamp);
    demand(!refusal, refusal, where, `was accepted: ${event.type} by ${event.from}`);
    if (event.content === null) this.erased.push(event.id);
    this.model.add(event);
  }

  #shape(event, where) {
    for (const [name, ok] of Object.entries(SHAPE)) {
      demand(ok(event?.[name]), 'BAD_SHAPE', where, name);
    }
    demand(event.content !== null || erasable(event.type), 'BAD_SHAPE', where, 'content');
  }

  #place(event, where) {
    const { model } = this;
    demandEqual(event.seq, model.seq + 1, 'BAD_SEQ', where);
    demandEqual(event.enclave, model.enclave ?? event.enclave, 'BAD_ENCLAVE', where);
    demand(event.timestamp >= model.timestamp, 'BAD_TIMESTAMP', where, `${event.timestamp}`);
    demandEqual(event.type_seq, model.nextTypeSeq(event.type), 'BAD_TYPE_SEQ', where);
  }

  /** Behind a Migrate the node that it names goes on, and nobody else (protocol.md 12). */
  #sequencer(event) {
    const { model } = this;
    model.seqPub ??= event.sequencer;
    if (event.sequencer === model.newSequencer && event.sequencer !== model.seqPub) model.takeOver();
    return model.seqPub;
  }

  #expiry({ exp, timestamp }, where) {
    if (!this.hasTime) return;
    demand(exp <= timestamp + EXP_AHEAD_MS, 'EXP_TOO_FAR', where);
    demand(exp >= timestamp - EXP_PAST_MS - WAIT_MS, 'EXPIRED', where);
  }

  /** Take the elements of a Response in order, and check their status against the replay. */
  pushAll(elements) {
    elements.forEach(({ event }) => this.push(event));
    elements.forEach((element) => this.#status(element));
    this.erased.forEach((id) => demand(this.#mayBeErased(id), 'BAD_SHAPE', id, 'lost content'));
  }

  #status({ event, status, updated_by: updatedBy, deleted_by: deletedBy }) {
    const entry = this.model.entries.get(event.id);
    const where = `status of event ${event.seq}`;
    demandEqual(status, entry.status, 'BAD_STATUS', where);
    if (status === 'updated') demandEqual(updatedBy, entry.updated_by, 'BAD_STATUS', where);
    if (status === 'deleted') demandEqual(deletedBy, entry.deleted_by, 'BAD_STATUS', where);
    if (status === 'deleted') demandEqual(event.content, null, 'BAD_STATUS', `${where}: content`);
  }

  #mayBeErased(id) {
    const { entries } = this.model;
    const { event, status } = entries.get(id);
    if (status === 'deleted' || event.tags.some(([key]) => key === 'auto-delete')) return true;
    return isEdit(event.type) && this.#mayBeErased(targetId(event));
  }
}
