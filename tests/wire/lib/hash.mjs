// SHA-256, HKDF and H: SHA-256 over one deterministic CBOR array (protocol.md 1.2).

import { hkdf } from '@noble/hashes/hkdf';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2';
import { bigEndian, concat, fromHex, toHex, utf8 } from './bytes.mjs';

export const sha256 = (...parts) => nobleSha256(concat(...parts));

export const EMPTY = sha256();

export const EMPTY_HEX = toHex(EMPTY);

export const hkdf32 = (ikm, label) => hkdf(nobleSha256, ikm, undefined, utf8(label), 32);

const MAJOR = { uint: 0, bytes: 2, text: 3, array: 4 };

function head(major, n) {
  const value = BigInt(n);
  const top = major << 5;
  if (value < 24n) return Uint8Array.of(top | Number(value));
  const step = [8n, 16n, 32n, 64n].findIndex((bits) => value < 1n << bits);
  return concat(Uint8Array.of(top | (24 + step)), bigEndian(value, 1 << step));
}

/** Numbers, byte strings, text strings and arrays of these; nothing else exists in H. */
export function cbor(value) {
  if (typeof value === 'number' || typeof value === 'bigint') return head(MAJOR.uint, value);
  if (value instanceof Uint8Array) return concat(head(MAJOR.bytes, value.length), value);
  if (Array.isArray(value)) return concat(head(MAJOR.array, value.length), ...value.map(cbor));
  if (typeof value !== 'string') throw new Error(`no CBOR for ${typeof value}`);
  const bytes = utf8(value);
  return concat(head(MAJOR.text, bytes.length), bytes);
}

export const H = (...fields) => nobleSha256(cbor(fields));

/** H(prefix, left, right) of two hex hashes as hex: the shape of all three trees. */
export function pair(prefix, left, right) {
  return toHex(H(prefix, fromHex(left, 32), fromHex(right, 32)));
}
