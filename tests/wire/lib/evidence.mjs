// A judge of evidence, written from the specification alone: what a sequencer has signed and cannot
// take back (protocol.md 2-4, 7). 'proof', 'claim' or 'none'.

import { pair } from './hash.mjs';
import { enclaveId } from './commit.mjs';
import { eventFault } from './event.mjs';
import { ctLeaf, rootOfPath, verifyBundle, verifyInclusion, verifySth } from './ct.mjs';
import { isHex } from './bytes.mjs';

const SLACK_MS = 60_000;
const node = (left, right) => pair(0x01, left, right);

class Refused extends Error {}
const demand = (holds, why) => {
  if (!holds) throw new Refused(why);
};
const isCount = (n) => Number.isSafeInteger(n) && n >= 0;
const areHashes = (list) => Array.isArray(list) && list.every((hash) => isHex(hash, 32));

/** Of the first m leaves and of all n, from a consistency proof; m is no power of two. */
function rootsOf(m, n, path) {
  if (m === n) return [path[0], path[0], demand(path.length === 1, 'length')];
  const k = 2 ** Math.floor(Math.log2(n - 1));
  const [rest, last] = [path.slice(0, -1), path.at(-1)];
  demand(rest.length > 0, 'too short');
  if (m <= k) {
    const [older, newer] = rootsOf(m, k, rest);
    return [older, node(newer, last)];
  }
  const [older, newer] = rootsOf(m - k, n - k, rest);
  return [node(last, older), node(last, newer)];
}

function prefixByConsistency({ ts1, ts2, p }, a, b) {
  demand(ts1 === a.ts && ts2 === b.ts && areHashes(p) && p.length > 0, 'consistency');
  demand(Math.log2(ts1) % 1 !== 0, 'the older root is not in it');
  const [older, newer] = rootsOf(ts1, ts2, p);
  demand(newer === b.r, 'it leads elsewhere');
  return older;
}

const isInclusion = (proof) => proof && isCount(proof.ts) && isCount(proof.li) && areHashes(proof.p) &&
  isHex(proof.events_root, 32) && isHex(proof.state_hash, 32);

/** The siblings on the left of the last leaf of the older log, each a whole subtree before it. */
function prefixByInclusion(proof, a, b) {
  demand(isInclusion(proof) && proof.li + 1 === a.ts && verifyInclusion(proof, b), 'inclusion');
  const lefts = [];
  const path = [...proof.p];
  for (let i = proof.li, n = proof.ts; n > 1; i = Math.floor(i / 2), n = Math.ceil(n / 2)) {
    if (i === n - 1 && n % 2 === 1) continue;
    const sibling = path.shift();
    if (i % 2 === 1) lefts.push(sibling);
  }
  return lefts.reduce((hash, left) => node(left, hash),
    ctLeaf(proof.events_root, proof.state_hash));
}

const isEvent = (event, enclave) => event && typeof event.content === 'string' &&
  event.enclave === enclave && eventFault(event, event.sequencer) === null;

/** Keys in charge, one after the other. */
function keysOf({ enclave, manifest, migrates = [] }) {
  if (manifest === undefined) return [];
  demand(isEvent(manifest, enclave) && manifest.type === 'Manifest' && manifest.seq === 0 &&
    enclaveId(manifest) === enclave, 'Manifest');
  const keys = [manifest.sequencer];
  for (const event of migrates) {
    demand(isEvent(event, enclave) && event.type === 'Migrate' && event.sequencer === keys.at(-1),
      'Migrate');
    const { new_sequencer: next } = JSON.parse(event.content);
    demand(isHex(next, 32), 'Migrate to nobody');
    keys.push(next);
  }
  return keys;
}

/** Whether a head is bound to the enclave; a binding that does not hold is no evidence. */
function isBound(head, { manifest }, keys) {
  if (head.binding === undefined) return false;
  const { inclusion, bundle } = head.binding;
  demand(manifest && keys.includes(head.sequencer) && isInclusion(inclusion) && inclusion.li === 0 &&
    verifyInclusion(inclusion, head) && areHashes(bundle.siblings) &&
    isCount(bundle.bundle_index) && isCount(bundle.bundle_size) && bundle.bundle_index === 0 &&
    bundle.event_id === manifest.id && verifyBundle(bundle, inclusion.events_root), 'binding');
  return true;
}

const isSigned = (head) => {
  try {
    return verifySth(head, head.sequencer);
  } catch {
    return false;
  }
};
const isHead = (head) => head && isCount(head.t) && isCount(head.ts) && isHex(head.r, 32) &&
  isHex(head.sig, 64) && isHex(head.sequencer, 32);

function signedHeads(evidence, count) {
  const { heads } = evidence;
  demand(Array.isArray(heads) && heads.length === count && heads.every(isHead), 'heads');
  demand(heads.every(isSigned), 'a head is not signed');
  const keys = keysOf(evidence);
  return heads.map((head) => ({ ...head, bound: isBound(head, evidence, keys) }));
}

function twoEvents({ enclave, events }) {
  demand(Array.isArray(events) && events.length === 2, 'events');
  demand(events.every((event) => isEvent(event, enclave)), 'an event is not sound');
  return events;
}

const KINDS = {
  fork(evidence) {
    const [a, b] = signedHeads(evidence, 2);
    demand(a.ts <= b.ts, 'order');
    const before = a.ts === b.ts ? b.r
      : evidence.consistency ? prefixByConsistency(evidence.consistency, a, b)
        : prefixByInclusion(evidence.inclusion, a, b);
    demand(before !== a.r, 'one log');
    return a.bound && b.bound;
  },
  rewind(evidence) {
    const [a, b] = signedHeads(evidence, 2);
    demand(a.sequencer === b.sequencer && a.ts > b.ts && a.t < b.t, 'no contradiction');
    return a.bound && b.bound && b.t - a.t > SLACK_MS;
  },
  'two-events'(evidence) {
    keysOf(evidence);
    const [a, b] = twoEvents(evidence);
    demand(a.seq === b.seq && a.sequencer === b.sequencer && a.id !== b.id, 'no contradiction');
    return true;
  },
  dropped(evidence) {
    const [head] = signedHeads(evidence, 1);
    const [promised, last] = twoEvents(evidence);
    const { inclusion, bundle, manifest } = evidence;
    const { timeout = 5000 } = JSON.parse(manifest.content).bundle ?? {};
    demand(head.bound && head.sequencer === promised.sequencer && timeout > 0, 'head');
    demand(isInclusion(inclusion) && inclusion.li + 1 === head.ts && verifyInclusion(inclusion, head),
      'not the last leaf');
    const { event_id: id, bundle_index: index, bundle_size: size, siblings } = bundle;
    demand(areHashes(siblings) && index + 1 === size && id === last.id &&
      rootOfPath(id, index, size, siblings) === inclusion.events_root, 'not the last event');
    demand(last.seq < promised.seq && head.t > promised.timestamp + timeout + SLACK_MS, 'not due');
    return true;
  },
  refused(evidence) {
    const [a, b] = signedHeads(evidence, 2);
    demand(a.ts < b.ts, 'order');
    return false;
  },
  stale(evidence) {
    const [head] = signedHeads(evidence, 1);
    demand(isCount(evidence.seen) && evidence.seen > head.t + SLACK_MS, 'not old');
    return false;
  },
  unsigned(evidence) {
    const { heads } = evidence;
    keysOf(evidence);
    demand(Array.isArray(heads) && heads.length === 1 && isHead(heads[0]), 'head');
    demand(!isSigned(heads[0]), 'it is signed');
    return false;
  },
  missing: (evidence) => answer(evidence),
  'bad-proof': (evidence) => answer(evidence),
};

function answer(evidence) {
  signedHeads(evidence, 1);
  demand(evidence.question !== undefined, 'no question');
  return false;
}

export function weigh(evidence) {
  try {
    demand(evidence.enc_evidence === 1 && isHex(evidence.enclave, 32), 'no evidence');
    demand(Object.hasOwn(KINDS, evidence.kind), 'kind');
    return KINDS[evidence.kind](evidence) ? 'proof' : 'claim';
  } catch {
    return 'none'; /* whatever is missing or of another shape */
  }
}
