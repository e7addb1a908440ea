// Bytes, hex and big-endian integers. The wire has lower-case hex, the inside Uint8Array.

const encoder = new TextEncoder();

export const utf8 = (text) => encoder.encode(text);

export const text = (bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes);

export const toHex = (bytes) => Buffer.from(bytes).toString('hex');

export function fromHex(hex, len) {
  if (!isHex(hex, len)) throw new Error(`not hex${len ? len * 2 : ''}: ${hex}`);
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** Whether value is a string of hex digits; len in bytes, any even length when absent. */
export function isHex(value, len) {
  if (typeof value !== 'string' || !/^(?:[0-9a-fA-F]{2})*$/.test(value)) return false;
  return len === undefined || value.length === len * 2;
}

export const concat = (...parts) => new Uint8Array(Buffer.concat(parts));

export const be32 = (n) => bigEndian(n, 4);

export const be64 = (n) => bigEndian(n, 8);

export function bigEndian(n, len) {
  return fromHex(BigInt(n).toString(16).padStart(len * 2, '0'), len);
}

export const toBig = (bytes) => BigInt(`0x${toHex(bytes) || '0'}`);

export const equal = (a, b) => Buffer.compare(a, b) === 0;
