// Session tokens, signer keys and the proof of possession (protocol.md 1.5).

import { be32, be64, concat, fromHex, isHex, toHex, utf8 } from './bytes.mjs';
import { sha256 } from './hash.mjs';
import * as keys from './keys.mjs';
import { channel } from './seal.mjs';

const LIFE_S_MAX = 7200;
const SKEW_S = 60;
export const NO_ENCLAVE = '00'.repeat(32);

const tokenMessage = (expires) => sha256(utf8('enc:session:'), be32(expires));

/** { token, expires, priv, pub }: the holder's half of a token. */
export function makeSession(key, expires = Math.floor(Date.now() / 1000) + 3600) {
  const sig = keys.sign(tokenMessage(expires), key.priv);
  const priv = sig.slice(32);
  const pub = keys.xOf(keys.G.multiply(keys.scalar(priv)));
  const token = toHex(concat(sig.slice(0, 32), pub, be32(expires)));
  return { token, expires, priv, pub: toHex(pub) };
}

function readToken(token) {
  const bytes = fromHex(token, 68);
  const expires = Number(BigInt(`0x${toHex(bytes.slice(64))}`));
  return { r: bytes.slice(0, 32), pub: toHex(bytes.slice(32, 64)), expires };
}

function sessionPoint(r, from, expires) {
  const nonce = keys.lift(toHex(r));
  const author = keys.lift(from);
  if (!nonce || !author) return null;
  const e = keys.challenge(r, from, tokenMessage(expires));
  const sum = nonce.add(author.multiply(e));
  return sum.is0() ? null : sum;
}

/** null when the token satisfies window and equation, else the error code. */
export function tokenFault(token, from, nowS) {
  if (!isHex(token, 68)) return 'INVALID_SESSION';
  const { r, pub, expires } = readToken(token);
  if (nowS >= expires + SKEW_S) return 'SESSION_EXPIRED';
  if (expires > nowS + LIFE_S_MAX + SKEW_S) return 'INVALID_SESSION';
  const point = sessionPoint(r, from, expires);
  return point && toHex(keys.xOf(point)) === pub ? null : 'INVALID_SESSION';
}

const signerTweak = (sessionPub, seqPub, enclave) =>
  keys.scalar(sha256(fromHex(sessionPub, 32), fromHex(seqPub, 32), fromHex(enclave, 32)));

/** The signer key of a session towards one node and enclave. */
export function signerKey(session, seqPub, enclave) {
  const d = keys.evenScalar(session.priv);
  return keys.keyOf(keys.scalarBytes(d + signerTweak(session.pub, seqPub, enclave)));
}

/** The same key's public half, from the token alone. */
export function signerPub(token, seqPub, enclave) {
  const { pub } = readToken(token);
  const tweak = keys.G.multiply(signerTweak(pub, seqPub, enclave));
  return toHex(keys.xOf(keys.lift(pub).add(tweak)));
}

const channels = new WeakMap();

/** { signer, query, response } of a session towards one node and enclave; made once. */
export function signerChannel(session, seqPub, enclave) {
  if (!channels.has(session)) channels.set(session, new Map());
  const kept = channels.get(session);
  const name = `${seqPub}${enclave}`;
  if (!kept.has(name)) kept.set(name, deriveChannel(session, seqPub, enclave));
  return kept.get(name);
}

function deriveChannel(session, seqPub, enclave) {
  const key = signerKey(session, seqPub, enclave);
  return { signer: key.pub, ...channel(key.priv, seqPub) };
}

const proofMessage = (seqPub, enclave, at) =>
  sha256(utf8('enc:proof:'), fromHex(seqPub, 32), fromHex(enclave, 32), be64(at));

/** { session, at, proof } as the clear form carries them. */
export function clearProof(session, seqPub, enclave, at = Date.now()) {
  const signer = signerKey(session, seqPub, enclave);
  const proof = toHex(keys.sign(proofMessage(seqPub, enclave, at), signer.priv));
  return { session: session.token, at, proof };
}

export function verifyProof({ session, at, proof }, seqPub, enclave) {
  const signer = signerPub(session, seqPub, enclave);
  return keys.verify(proof, proofMessage(seqPub, enclave, at), signer);
}

/** A token made without the private key: it satisfies the equation and proves nothing. */
export function forgeToken(victim, expires = Math.floor(Date.now() / 1000) + 3600) {
  const r = keys.scalarBytes(1n); /* any x of a point */
  const point = sessionPoint(r, victim, expires);
  return toHex(concat(r, keys.xOf(point), be32(expires)));
}
