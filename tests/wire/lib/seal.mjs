// XChaCha20-Poly1305 seals and the keys of a channel (protocol.md 1.4, 1.5).

import { xchacha20poly1305 } from '@noble/ciphers/chacha';
import { randomBytes } from 'node:crypto';
import { concat, text, utf8 } from './bytes.mjs';
import { hkdf32 } from './hash.mjs';
import { ecdhX } from './keys.mjs';

const NONCE_LEN = 24;
const SEALED_LEN_MIN = 40;

/** Base64 of nonce, ciphertext and tag. */
export function seal(key, plain, nonce = new Uint8Array(randomBytes(NONCE_LEN))) {
  const bytes = typeof plain === 'string' ? utf8(plain) : plain;
  const box = xchacha20poly1305(key, nonce).encrypt(bytes);
  return Buffer.from(concat(nonce, box)).toString('base64');
}

export const sealJson = (key, value) => seal(key, JSON.stringify(value));

/** The plain text; throws on anything that is not a seal under this key. */
export function open(key, sealed) {
  const buffer = Buffer.from(String(sealed), 'base64');
  if (buffer.toString('base64') !== sealed) throw new Error('seal is no base64');
  const bytes = new Uint8Array(buffer);
  if (bytes.length < SEALED_LEN_MIN) throw new Error('seal too short');
  const cipher = xchacha20poly1305(key, bytes.subarray(0, NONCE_LEN));
  return text(cipher.decrypt(bytes.subarray(NONCE_LEN)));
}

export const openJson = (key, sealed) => JSON.parse(open(key, sealed));

/** { query, response } between a signer key and a node key, from either side. */
export function channel(priv, pub) {
  const shared = ecdhX(priv, pub);
  return { query: hkdf32(shared, 'enc:query'), response: hkdf32(shared, 'enc:response') };
}

export const pushKey = (priv, pub) => hkdf32(ecdhX(priv, pub), 'enc:push');
