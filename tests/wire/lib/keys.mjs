// BIP-340 keys, signatures and ECDH on secp256k1 (protocol.md 1.1, 1.4).

import { schnorr } from '@noble/curves/secp256k1';
import { randomBytes } from 'node:crypto';
import { bigEndian, fromHex, isHex, toBig, toHex, utf8 } from './bytes.mjs';
import { sha256 } from './hash.mjs';

const AUX = new Uint8Array(32);
const { lift_x: liftX, taggedHash } = schnorr.utils;

export const ORDER = BigInt('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141');
export const G = schnorr.Point.BASE;

/** { priv, pub }: priv 32 bytes, pub hex64. */
export function keyOf(priv) {
  return { priv, pub: toHex(schnorr.getPublicKey(priv)) };
}

export const keyOfSeed = (seed) => keyOf(sha256(utf8(seed)));

export const newKey = () => keyOf(new Uint8Array(randomBytes(32)));

/** Signature of 32 bytes, as bytes; deterministic unless other randomness is given. */
export const sign = (digest, priv, aux = AUX) => schnorr.sign(digest, priv, aux);

/** sig hex128 or bytes, pub hex64; never throws. */
export function verify(sig, digest, pub) {
  if (!isHex(pub, 32)) return false;
  if (typeof sig === 'string' && !isHex(sig, 64)) return false;
  return schnorr.verify(sig, digest, pub.toLowerCase());
}

/** The even point with this x (hex64), or null. */
export function lift(pub) {
  try {
    return liftX(BigInt(`0x${pub}`));
  } catch {
    return null;
  }
}

export const lifts = (pub) => isHex(pub, 32) && lift(pub) !== null;

export const xOf = (point) => bigEndian(point.toAffine().x, 32);

export const scalar = (bytes) => toBig(bytes) % ORDER;

export const scalarBytes = (n) => bigEndian(((n % ORDER) + ORDER) % ORDER, 32);

/** The private scalar whose point has even y. */
export function evenScalar(priv) {
  const s = toBig(priv);
  return G.multiply(s).toAffine().y % 2n === 0n ? s : ORDER - s;
}

/** Raw x of priv times the lifted point. */
export const ecdhX = (priv, pub) => xOf(lift(pub).multiply(toBig(priv)));

/** e of BIP-340 for r (bytes), key (hex64) and message digest. */
export function challenge(r, pub, digest) {
  return scalar(taggedHash('BIP0340/challenge', r, fromHex(pub, 32), digest));
}
