// Steps 1 to 12 of a commit as a Durable Object would do them: one object an enclave, one thread,
// durable by the object's output gate. Only what the load sends: a Manifest, then content events,
// which leave the state tree as it is.

import { DurableObject } from 'cloudflare:workers';
import { schnorr } from '@noble/curves/secp256k1';
import { bytesToHex, H, hexToBytes, rootOf, sha256, text } from './hash.js';

const PRIV = sha256(text('sequencer of the bench'));
const SEQUENCER = schnorr.getPublicKey(PRIV);
const AUX = new Uint8Array(32);
const TYPE = /^[A-Za-z][A-Za-z0-9_.:-]{0,63}$/;
const EMPTY = sha256(new Uint8Array());
const PAST_MS = 60_000;
const AHEAD_MS = 3_600_000;

class Refused extends Error {}

function demand(holds, code) {
  if (!holds) throw new Refused(code);
}

const isHex = (value, len) => typeof value === 'string' && value.length === 2 * len
  && /^[0-9a-f]*$/.test(value);

function structure(commit) {
  demand(isHex(commit.enclave, 32) && isHex(commit.from, 32), 'INVALID_COMMIT');
  demand(isHex(commit.sig, 64) && TYPE.test(commit.type), 'INVALID_COMMIT');
  demand(typeof commit.content === 'string', 'INVALID_COMMIT');
  demand(Number.isSafeInteger(commit.exp) && commit.exp >= 0, 'INVALID_COMMIT');
}

function expiration({ exp }, now) {
  demand(exp >= now - PAST_MS, 'EXPIRED');
  demand(exp <= now + AHEAD_MS, 'EXP_TOO_FAR');
}

function hash({ hash: sent, enclave, from, type, content, exp, tags = [] }) {
  const contentHash = sha256(text(content));
  const ids = [hexToBytes(enclave), hexToBytes(from)];
  const digest = H(0x10, ...ids, type, contentHash, exp, tags);
  demand(bytesToHex(digest) === sent, 'INVALID_HASH');
  return digest;
}

export class Enclave extends DurableObject {
  constructor(state, env) {
    super(state, env);
    this.sql = state.storage.sql;
    this.sql.exec(`CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, id TEXT UNIQUE,
      hash TEXT UNIQUE, type TEXT, event TEXT);
      CREATE TABLE IF NOT EXISTS leaves (li INTEGER PRIMARY KEY, hash TEXT)`);
    this.load();
  }

  load() {
    const rows = this.sql.exec('SELECT id, event FROM events ORDER BY seq').toArray();
    this.seq = rows.length;
    this.manifest = rows.length ? JSON.parse(JSON.parse(rows[0].event).content) : null;
    this.typeSeqs = new Map();
    for (const { event } of rows) this.typeSeq(JSON.parse(event).type);
    const leaves = this.sql.exec('SELECT count(*) AS n FROM leaves').one().n;
    this.leaves = leaves;
    this.open = rows.slice(leaves * this.bundleSize()).map(({ id }) => hexToBytes(id));
    this.timestamp = 0;
  }

  bundleSize() {
    return this.manifest?.bundle?.size ?? 256;
  }

  typeSeq(type) {
    const next = (this.typeSeqs.get(type) ?? 0) + 1;
    this.typeSeqs.set(type, next);
    return next;
  }

  permits({ from, type }) {
    const { schema, initial_state: roles } = this.manifest.RBAC;
    return schema.some((row) => row.event === type && row.ops.includes('C')
      && roles[row.role]?.includes(from));
  }

  judge(commit) {
    const known = this.sql.exec('SELECT 1 FROM events WHERE hash = ?', commit.hash).toArray();
    demand(known.length === 0, 'DUPLICATE');
    demand((commit.type === 'Manifest') === (this.manifest === null), 'ENCLAVE_NOT_FOUND');
    demand(this.manifest === null || this.permits(commit), 'UNAUTHORIZED');
  }

  finalise(commit, now) {
    this.timestamp = Math.max(now, this.timestamp);
    const seq = this.seq++;
    const digest = H(0x11, this.timestamp, seq, SEQUENCER, hexToBytes(commit.sig));
    const seqSig = schnorr.sign(digest, PRIV, AUX);
    return {
      id: bytesToHex(sha256(seqSig)), timestamp: this.timestamp, seq,
      sequencer: bytesToHex(SEQUENCER), type_seq: this.typeSeq(commit.type),
      seq_sig: bytesToHex(seqSig),
    };
  }

  bind(id) {
    this.open.push(hexToBytes(id));
    if (this.open.length < this.bundleSize()) return;
    const leaf = H(0x00, rootOf(this.open), EMPTY);
    this.sql.exec('INSERT INTO leaves VALUES (?, ?)', this.leaves++, bytesToHex(leaf));
    this.open = [];
  }

  commit(body) {
    const commit = JSON.parse(body);
    const now = Date.now();
    structure(commit);
    expiration(commit, now);
    const digest = hash(commit);
    demand(schnorr.verify(commit.sig, digest, commit.from), 'INVALID_SIGNATURE');
    this.judge(commit);
    const order = this.finalise(commit, now);
    if (commit.type === 'Manifest') this.manifest = JSON.parse(commit.content);
    this.bind(order.id);
    this.sql.exec('INSERT INTO events VALUES (?, ?, ?, ?, ?)', order.seq, order.id, commit.hash,
      commit.type, JSON.stringify({ ...commit, ...order }));
    const { hash: name, enclave, sig } = commit;
    return { type: 'Receipt', hash: name, enclave, sig, ...order };
  }

  async fetch(request) {
    const body = await request.text();
    try {
      return Response.json(this.commit(body));
    } catch (refused) {
      return Response.json({ type: 'Error', code: refused.message }, { status: 400 });
    }
  }
}

export default {
  async fetch(request, env) {
    const body = await request.text();
    const enclave = /"enclave":"([0-9a-f]{64})"/.exec(body);
    if (!enclave) return new Response('ready');
    const object = env.ENCLAVE.get(env.ENCLAVE.idFromName(enclave[1]));
    return object.fetch('http://enclave/', { method: 'POST', body });
  },
};
