// Events and receipts: hash, sequencer's signature, id (protocol.md 3).

import { fromHex, toHex } from './bytes.mjs';
import { commitFault } from './commit.mjs';
import { H, sha256 } from './hash.mjs';
import { sign, verify } from './keys.mjs';

const RECEIPT_MEMBERS = ['id', 'hash', 'enclave', 'timestamp', 'sequencer', 'seq', 'type_seq',
  'sig', 'seq_sig'];

export function eventHash({ timestamp, seq, sequencer, sig }) {
  return H(0x11, timestamp, seq, fromHex(sequencer, 32), fromHex(sig, 64));
}

export const eventId = (seqSig) => toHex(sha256(fromHex(seqSig, 64)));

/** What a sequencer makes of a commit. */
export function finalise(commit, sequencer, { seq, type_seq, timestamp }) {
  const placed = { ...commit, timestamp, sequencer: sequencer.pub, seq, type_seq };
  const seqSig = toHex(sign(eventHash(placed), sequencer.priv));
  return { ...placed, id: eventId(seqSig), seq_sig: seqSig };
}

/** null, or what is wrong with the sequencer's half of an event or receipt. */
export function sequencerFault(event, seqPub = event.sequencer) {
  if (event.sequencer !== seqPub) return 'BAD_SEQUENCER';
  if (!verify(event.seq_sig, eventHash(event), seqPub)) return 'BAD_SEQ_SIG';
  return event.id === eventId(event.seq_sig) ? null : 'BAD_ID';
}

export function eventFault(event, seqPub) {
  return commitFault(event) ?? sequencerFault(event, seqPub);
}

/** null, or what is wrong with a receipt for this commit (protocol.md 3, client check). */
export function receiptFault(receipt, commit, seqPub) {
  if (receipt.type !== 'Receipt') return 'BAD_TYPE';
  const fault = commitFault({ ...commit, hash: receipt.hash, sig: receipt.sig });
  if (fault) return fault;
  if (receipt.enclave !== commit.enclave) return 'BAD_ENCLAVE';
  return sequencerFault(receipt, seqPub);
}

export function receiptOf(event) {
  const members = RECEIPT_MEMBERS.map((name) => [name, event[name]]);
  return { type: 'Receipt', ...Object.fromEntries(members) };
}

/** The event that a receipt says its commit has become. */
export function eventOf(commit, receipt) {
  const { from, type, content, exp, tags } = commit;
  return { ...receipt, from, type, content, exp, tags };
}
