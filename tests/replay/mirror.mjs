// An enclave of a real node with a model beside it: every answer is foretold.

import assert from 'node:assert/strict';
import { assertErrorBody } from '../wire/lib/errors.mjs';
import { eventOf, receiptFault } from '../wire/lib/event.mjs';
import { Enclave } from '../wire/lib/fixtures.mjs';
import { Model } from '../wire/lib/model.mjs';

export class Mirror extends Enclave {
  static async create(client, content, options) {
    const mirror = Object.assign(new Mirror(), await Enclave.create(client, content, options));
    mirror.model = new Model(client.seqPub);
    mirror.accepted = 0;
    mirror.refused = 0;
    mirror.#take(mirror.manifest, mirror.receipt);
    return mirror;
  }

  #take(commit, receipt) {
    assert.equal(receiptFault(receipt, commit, this.client.seqPub), null, `receipt ${commit.type}`);
    assert.equal(receipt.seq, this.model.seq + 1);
    assert.equal(receipt.type_seq, this.model.nextTypeSeq(commit.type));
    this.model.add(eventOf(commit, receipt));
    this.accepted++;
  }

  /** Commit and hold the answer against the model's; null or the code it was refused with. */
  async submit(commit) {
    const foretold = this.model.judge(commit);
    const answer = await this.client.commit(commit);
    const what = `${commit.type} ${commit.content} after seq ${this.model.seq}`;
    if (!foretold) {
      assert.equal(answer.status, 200, `${what}: ${answer.text}`);
      this.#take(commit, answer.json);
      return null;
    }
    assert.notEqual(answer.status, 200, `${what}: accepted, foretold ${foretold}`);
    assertErrorBody(answer.json, foretold);
    this.refused++;
    return foretold;
  }
}
