// Commits: hash, identity of an enclave, signature (protocol.md 2, 4.2).

import { randomBytes } from 'node:crypto';
import { fromHex, toHex, utf8 } from './bytes.mjs';
import { H, sha256 } from './hash.mjs';
import { sign, verify } from './keys.mjs';

export const contentHash = (content) => sha256(utf8(content));

/** Hash of a commit or event as bytes. */
export function commitHash({ enclave, from, type, content, exp, tags = [] }) {
  return H(0x10, fromHex(enclave, 32), fromHex(from, 32), type, contentHash(content), exp, tags);
}

export function enclaveId({ from, content, tags = [] }) {
  return toHex(H(0x12, fromHex(from, 32), 'Manifest', contentHash(content), tags));
}

/** Hash and sign again; members given beside the rule of 2.1 stay as they are. */
export function signCommit(key, body) {
  const digest = commitHash(body);
  return { hash: toHex(digest), ...body, sig: toHex(sign(digest, key.priv)) };
}

/** A commit of key. Lists and objects as content become JSON text. */
export function makeCommit(key, enclave, type, content = '', more = {}) {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const body = { enclave, from: key.pub, type, content: text };
  return signCommit(key, { ...body, exp: Date.now() + 60_000, tags: [], ...more });
}

/** A Manifest commit; its enclave is derived. */
export function makeManifest(key, content, more = {}) {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const tags = more.tags ?? [];
  const enclave = enclaveId({ from: key.pub, content: text, tags });
  return makeCommit(key, enclave, 'Manifest', text, more);
}

export const nonce = () => randomBytes(16).toString('hex');

/** null, or what is wrong with hash and signature; of erased content only the signature. */
export function commitFault(commit) {
  if (commit.content !== null && toHex(commitHash(commit)) !== commit.hash) return 'INVALID_HASH';
  return verify(commit.sig, fromHex(commit.hash, 32), commit.from) ? null : 'INVALID_SIGNATURE';
}
