// What clients were promised of one enclave, and whether the node keeps it.

import assert from 'node:assert/strict';
import { encctl } from '../../wire/lib/encctl.mjs';
import { Enclave, wall } from '../../wire/lib/fixtures.mjs';
import { mapWide } from '../../wire/lib/wait.mjs';
import { auditNode } from '../../replay/audit.mjs';

const NOWHERE = 'http://127.0.0.1:1';

export class Ledger {
  receipts = [];

  static async create(client, options) {
    const ledger = new Ledger();
    ledger.enclave = await Enclave.create(client, wall, options);
    ledger.receipts.push(ledger.enclave.receipt);
    return ledger;
  }

  /** Signed commits that nobody has seen yet. */
  commits(count, text = 'x') {
    return Array.from({ length: count }, (_, i) =>
      this.enclave.make(this.enclave.owner, 'Post', `${i} ${text}`));
  }

  /** Send commits, width at once; the answers. Receipts are kept. */
  async send(commits, width = 16) {
    const answers = await mapWide(commits, width, (commit) => this.enclave.client.commit(commit));
    this.receipts.push(...answers.filter(({ status }) => status === 200).map(({ json }) => json));
    return answers;
  }

  /** Every receipt ever sent is in the log with the same bytes, and the log is sound; the log's seqs. */
  async verify(options) {
    const { client, id, owner } = this.enclave;
    const log = await client.queryAll(id, { limit: 1000 });
    const bySeq = new Map(log.map(({ event }) => [event.seq, event]));
    assert.equal(bySeq.size, log.length, 'no seq twice');
    for (const receipt of this.receipts) {
      const event = bySeq.get(receipt.seq);
      assert.ok(event, `seq ${receipt.seq} is lost`);
      for (const name of ['id', 'hash', 'timestamp', 'seq_sig']) assert.equal(event[name], receipt[name], name);
    }
    await auditNode(client, id, owner, 20, options);
    return [...bySeq.keys()];
  }
}

/** Stop the daemon and look at the whole directory. */
export async function stopSound(daemon) {
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  const done = await encctl(NOWHERE, '--json', 'fsck', daemon.data);
  assert.equal(done.code, 0, done.out + done.err);
  assert.equal(done.lines.at(-1).flaws, 0);
}
