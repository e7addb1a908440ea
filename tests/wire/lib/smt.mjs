// Sparse Merkle tree, 168 levels, by the definition of protocol.md 6: no path compression.

import { fromHex, isHex, toBig, toHex } from './bytes.mjs';
import { EMPTY_HEX, H, pair, sha256 } from './hash.mjs';

const DEPTH = 168;
export const RBAC = 0x00;
export const STATUS = 0x01;

/** 21-byte key (hex42) of a raw 32-byte key (hex64). */
export function smtKey(namespace, raw) {
  return toHex([namespace, ...sha256(fromHex(raw, 32)).slice(0, 20)]);
}

export const leafHash = (key, value) => toHex(H(0x20, fromHex(key, 21), fromHex(value)));

const join = (left, right) =>
  left === EMPTY_HEX && right === EMPTY_HEX ? EMPTY_HEX : pair(0x21, left, right);

const bit = (n, i) => (n >> BigInt(i)) & 1n;

export class Smt {
  #leaves = new Map();
  #nodes = new Map(); /* level:path of every node that is not EMPTY; level 0 = leaves */

  get root() {
    return this.#node(DEPTH, 0n);
  }

  get(key) {
    return this.#leaves.get(key) ?? null;
  }

  get keys() {
    return [...this.#leaves.keys()];
  }

  /** Set a hex value; null removes the leaf. */
  set(key, value) {
    if (value === null) this.#leaves.delete(key);
    else this.#leaves.set(key, value);
    const path = toBig(fromHex(key, 21));
    this.#put(0, path, value === null ? EMPTY_HEX : leafHash(key, value));
    for (let level = 1; level <= DEPTH; level++) this.#refresh(level, path >> BigInt(level));
  }

  prove(key) {
    const path = toBig(fromHex(key, 21));
    const siblings = [];
    let bitmap = 0n;
    for (let i = 0; i < DEPTH; i++) {
      const sibling = this.#node(i, (path >> BigInt(i)) ^ 1n);
      if (sibling === EMPTY_HEX) continue;
      bitmap |= 1n << BigInt(i);
      siblings.push(sibling);
    }
    return { k: key, v: this.get(key), b: bitmap.toString(16).padStart(42, '0'), s: siblings };
  }

  #node(level, path) {
    return this.#nodes.get(`${level}:${path}`) ?? EMPTY_HEX;
  }

  #put(level, path, hash) {
    if (hash === EMPTY_HEX) this.#nodes.delete(`${level}:${path}`);
    else this.#nodes.set(`${level}:${path}`, hash);
  }

  #refresh(level, path) {
    const left = this.#node(level - 1, path << 1n);
    this.#put(level, path, join(left, this.#node(level - 1, (path << 1n) | 1n)));
  }
}

const wellFormed = ({ k, v, b, s }) =>
  isHex(k, 21) && isHex(b, 21) && (v === null || isHex(v)) && s.every((hash) => isHex(hash, 32));

/** Whether proof leads to root. */
export function verifySmt(proof, root) {
  if (!wellFormed(proof)) return false;
  const [path, bitmap] = [toBig(fromHex(proof.k)), toBig(fromHex(proof.b))];
  const siblings = [...proof.s];
  let hash = proof.v === null ? EMPTY_HEX : leafHash(proof.k, proof.v);
  for (let i = 0; i < DEPTH; i++) {
    const sibling = bit(bitmap, i) ? siblings.shift() : EMPTY_HEX;
    if (sibling === undefined) return false;
    hash = bit(path, i) ? join(sibling, hash) : join(hash, sibling);
  }
  return hash === root && siblings.length === 0;
}
