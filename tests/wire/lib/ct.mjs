// Bundles, the RFC 9162 log and signed tree heads (protocol.md 7). Hashes are hex64.

import { be64, fromHex, toHex, utf8 } from './bytes.mjs';
import { EMPTY_HEX, pair, sha256 } from './hash.mjs';
import { sign, verify } from './keys.mjs';

const inners = new Map();

/** H(0x01, left, right); an audit asks for the same ones again and again. */
function inner(left, right) {
  const name = left + right;
  if (!inners.has(name)) inners.set(name, pair(0x01, left, right));
  return inners.get(name);
}

export const ctLeaf = (eventsRoot, stateHash) => pair(0x00, eventsRoot, stateHash);

/** Root over leaf hashes; an odd last node is carried up. */
export function merkleRoot(leaves) {
  if (leaves.length === 0) return EMPTY_HEX;
  let layer = leaves;
  while (layer.length > 1) layer = layerAbove(layer);
  return layer[0];
}

function layerAbove(layer) {
  const above = [];
  for (let i = 0; i + 1 < layer.length; i += 2) above.push(inner(layer[i], layer[i + 1]));
  return layer.length % 2 ? [...above, layer.at(-1)] : above;
}

/** Siblings of leaf index, leaf to root. */
export function merklePath(leaves, index) {
  const path = [];
  let layer = leaves;
  for (let i = index; layer.length > 1; i >>= 1) {
    if ((i ^ 1) < layer.length) path.push(layer[i ^ 1]);
    layer = layerAbove(layer);
  }
  return path;
}

/** Root that a path leads to, or null when it has a sibling too many or too few. */
export function rootOfPath(leaf, index, size, path) {
  if (!(index >= 0 && index < size)) return null;
  const siblings = [...path];
  let hash = leaf;
  for (let i = index, n = size; n > 1; i >>= 1, n = (n + 1) >> 1) {
    if (i === n - 1 && n % 2 === 1) continue;
    const sibling = siblings.shift();
    if (sibling === undefined) return null;
    hash = i % 2 ? inner(sibling, hash) : inner(hash, sibling);
  }
  return siblings.length === 0 ? hash : null;
}

export function verifyBundle(proof, eventsRoot) {
  const { event_id: id, bundle_index: index, bundle_size: size, siblings } = proof;
  return rootOfPath(id, index, size, siblings) === eventsRoot;
}

/** sth: a verified head of the same size. */
export function verifyInclusion({ ts, li, p, events_root, state_hash }, sth) {
  return ts === sth.ts && rootOfPath(ctLeaf(events_root, state_hash), li, ts, p) === sth.r;
}

/** RFC 9162 2.1.4.1. */
export function consistencyPath(leaves, from) {
  if (from === 0 || from === leaves.length) return [];
  return subproof(leaves, from, true);
}

const splitOf = (n) => 2 ** Math.floor(Math.log2(n - 1));

function subproof(leaves, m, whole) {
  if (m === leaves.length) return whole ? [] : [merkleRoot(leaves)];
  const k = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  if (m <= k) return [...subproof(left, m, whole), merkleRoot(right)];
  return [...subproof(right, m - k, false), merkleRoot(left)];
}

/** RFC 9162 2.1.4.2 with the two trivial cases of clarification 35. */
export function verifyConsistency({ ts1, ts2, p }, root1, root2) {
  if (ts1 === 0) return p.length === 0 && root1 === EMPTY_HEX;
  if (ts1 === ts2) return p.length === 0 && root1 === root2;
  if (ts1 > ts2 || p.length === 0) return false;
  const path = (ts1 & (ts1 - 1)) === 0 ? [root1, ...p] : p;
  const roots = walkConsistency(path, ts1 - 1, ts2 - 1);
  return roots !== null && roots[0] === root1 && roots[1] === root2;
}

function walkConsistency(path, first, last) {
  let [fn, sn] = [first, last];
  while (fn & 1) [fn, sn] = [fn >> 1, sn >> 1];
  let [fr, sr] = [path[0], path[0]];
  for (const node of path.slice(1)) {
    if (sn === 0) return null;
    if (fn & 1 || fn === sn) {
      [fr, sr] = [inner(node, fr), inner(node, sr)];
      while (!(fn & 1) && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
    } else {
      sr = inner(sr, node);
    }
    [fn, sn] = [fn >> 1, sn >> 1];
  }
  return sn === 0 ? [fr, sr] : null;
}

const sthMessage = ({ t, ts, r }) =>
  sha256(utf8('enc:sth:'), be64(t), be64(ts), fromHex(r, 32));

export function signSth(head, priv) {
  return { ...head, sig: toHex(sign(sthMessage(head), priv)) };
}

export const verifySth = (sth, seqPub) => verify(sth.sig, sthMessage(sth), seqPub);
