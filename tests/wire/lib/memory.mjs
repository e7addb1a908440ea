// The memory of another process, and every form in which a secret of 32 bytes could lie in it.

import fs from 'node:fs';
import { bigEndian, concat, toBig, toHex, utf8 } from './bytes.mjs';
import { sha256 } from './hash.mjs';
import { ORDER } from './keys.mjs';

const SLICE_LEN = 1 << 24;
const HALF = 16; /* what is left of a secret that was partly overwritten */
const NOT_READ = /^\[v(var|syscall|dso)/;

/** Mappings of a process: { from, to, readable, shared, path, flags }. */
export function mappingsOf(pid) {
  const found = [];
  for (const line of fs.readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    const head = line.match(/^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)$/);
    if (head) {
      const [, from, to, mode, path] = head;
      found.push({ from: parseInt(from, 16), to: parseInt(to, 16), readable: mode[0] === 'r',
        shared: mode[3] === 's', mode, path, flags: [] });
    } else if (line.startsWith('VmFlags:')) {
      found.at(-1).flags = line.slice(8).trim().split(' ');
    }
  }
  return found;
}

function* slices(fd, { from, to }) {
  for (let at = from; at < to; at += SLICE_LEN) {
    const bytes = Buffer.alloc(Math.min(to - at, SLICE_LEN + 256));
    let len = 0;
    try {
      len = fs.readSync(fd, bytes, 0, bytes.length, at);
    } catch (error) {
      if (error.code !== 'EIO') throw error;
    }
    yield [at, bytes.subarray(0, len)];
  }
}

/** Where needles ({ what, bytes }) occur in the private memory of a process: { what, at, mapping }. */
export function search(pid, needles) {
  const fd = fs.openSync(`/proc/${pid}/mem`, 'r');
  const hits = [];
  try {
    for (const mapping of mappingsOf(pid)) {
      if (!mapping.readable || mapping.shared || NOT_READ.test(mapping.path)) continue;
      for (const [at, bytes] of slices(fd, mapping)) hits.push(...searchIn(bytes, needles, at, mapping));
    }
  } finally {
    fs.closeSync(fd);
  }
  return hits;
}

/** Where needles occur in bytes. */
export function searchIn(bytes, needles, base = 0, mapping = null) {
  const hits = [];
  for (const { what, bytes: needle } of needles) {
    const at = bytes.indexOf(needle);
    if (at >= 0) hits.push({ what, at: base + at, mapping });
  }
  return hits;
}

const reversed = (bytes) => Buffer.from(bytes).reverse();

/** As the words of a SHA-256 schedule. */
const byWords = (bytes) => Buffer.from(bytes).swap32();

function halves(what, bytes) {
  const buffer = Buffer.from(bytes);
  const half = Math.max(HALF, buffer.length / 2);
  return [{ what: `${what}, front`, bytes: buffer.subarray(0, half) },
    { what: `${what}, back`, bytes: buffer.subarray(buffer.length - half) }];
}

/** 32 bytes that are no number: keys of ciphers. */
export function formsOfBytes(what, secret) {
  const hex = toHex(secret);
  const texts = { hex, HEX: hex.toUpperCase(), base64: Buffer.from(secret).toString('base64') };
  return [...halves(what, secret), ...halves(`${what} by words`, byWords(secret)),
    ...Object.entries(texts).flatMap(([form, text]) => halves(`${what} as ${form}`, utf8(text)))];
}

/** A scalar: also as little-endian limbs, negated, and masked as BIP-340 does without randomness. */
export function formsOfScalar(what, secret) {
  const negated = bigEndian(ORDER - toBig(secret), 32);
  const tag = sha256(utf8('BIP0340/aux'));
  const mask = sha256(concat(tag, tag, new Uint8Array(32)));
  const each = [[what, secret], [`${what} negated`, negated]].flatMap(([name, bytes]) => {
    const masked = bytes.map((byte, i) => byte ^ mask[i]);
    return [...formsOfBytes(name, bytes), ...halves(`${name} in limbs`, reversed(bytes)),
      ...halves(`${name} masked`, masked), ...halves(`${name} masked by words`, byWords(masked))];
  });
  return each;
}
