// H of the protocol: SHA-256 over one deterministic CBOR array.

import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils';

export { bytesToHex, hexToBytes, sha256 };
export const text = utf8ToBytes;

const MAJOR = { uint: 0, bytes: 2, text: 3, array: 4 };

function head(major, n) {
  const top = major << 5;
  if (n < 24) return Uint8Array.of(top | n);
  const step = [2 ** 8, 2 ** 16, 2 ** 32, Infinity].findIndex((limit) => n < limit);
  const bytes = new Uint8Array(1 + 2 ** step);
  bytes[0] = top | (24 + step);
  for (let i = bytes.length - 1, rest = n; i > 0; i--, rest = Math.floor(rest / 256)) {
    bytes[i] = rest % 256;
  }
  return bytes;
}

function cbor(value) {
  if (typeof value === 'number') return head(MAJOR.uint, value);
  if (value instanceof Uint8Array) return concatBytes(head(MAJOR.bytes, value.length), value);
  if (Array.isArray(value)) return concatBytes(head(MAJOR.array, value.length), ...value.map(cbor));
  const bytes = utf8ToBytes(value);
  return concatBytes(head(MAJOR.text, bytes.length), bytes);
}

export const H = (...fields) => sha256(cbor(fields));

/** Root of a list of 32-byte hashes, layer by layer; an odd last one is carried up. */
export function rootOf(hashes) {
  let layer = hashes;
  while (layer.length > 1) {
    const next = [];
    for (let i = 0; i < layer.length; i += 2) {
      next.push(i + 1 < layer.length ? H(0x01, layer[i], layer[i + 1]) : layer[i]);
    }
    layer = next;
  }
  return layer[0];
}
