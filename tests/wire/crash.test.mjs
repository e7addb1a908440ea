#!/usr/bin/env node
// kill -9 under load: what was acknowledged is there, once, and consistent with heads seen before.

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { assertOk } from './lib/errors.mjs';
import { verifyConsistency, verifySth } from './lib/ct.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { seededRandom } from './lib/random.mjs';
import { receiptOf } from './lib/event.mjs';
import { Socket } from './lib/socket.mjs';
import { sleep } from './lib/wait.mjs';
import { auditNode, fetchLog } from '../replay/audit.mjs';

const ROUNDS = 12;
const ENCLAVES = 4;
const CLIENTS = 3;
const RUN_MS = 900;
const DRAINING = 503;
const PROOFS = 40;
const BUNDLES = [{ size: 3, timeout: 0 }, { size: 50, timeout: 30 }, { size: 1, timeout: 0 },
  { size: 7, timeout: 100 }];

/** What clients know of one enclave: receipts by hash, heads, commits without an answer. */
class Ledger {
  receipts = new Map();
  heads = [];
  unanswered = [];

  constructor(enclave) {
    this.enclave = enclave;
    this.author = newKey();
    this.posted = 0;
  }

  next() {
    return this.enclave.make(this.author, 'Post', `${this.posted++}`);
  }

  async commit() {
    const commit = this.next();
    this.unanswered.push(commit);
    const answer = await this.enclave.client.commit(commit);
    if (answer.status !== DRAINING) this.settle(commit, assertOk(answer).json);
  }

  settle(commit, receipt) {
    this.receipts.set(commit.hash, receipt);
    this.unanswered = this.unanswered.filter((one) => one !== commit);
  }

  async head() {
    const sth = await this.enclave.client.sth(this.enclave.id);
    assert.ok(verifySth(sth, this.enclave.client.seqPub));
    this.heads.push(sth);
  }
}

/** Connections break when the node dies: that is no failure, an answer that is not 200 is. */
const broken = (error) => ['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(error.code) ||
  /socket hang up/.test(error.message);

async function drive(ledger, random, signal) {
  while (!signal.aborted) {
    try {
      await (random.chance(90) ? ledger.commit() : ledger.head());
    } catch (error) {
      if (!broken(error)) throw error;
      return;
    }
  }
}

/** Many commits in flight on one socket. */
async function driveSocket(ledger, signal) {
  const socket = await Socket.open(ledger.enclave.client).catch(() => null);
  const waiting = new Map();
  while (socket && !signal.aborted && !socket.closed) {
    while (waiting.size < 16 && !signal.aborted) {
      const commit = ledger.next();
      waiting.set(commit.hash, commit);
      ledger.unanswered.push(commit);
      socket.commit(commit);
    }
    await sleep(2);
    takeAnswers(socket, waiting, ledger);
  }
  await sleep(50);
  if (socket) takeAnswers(socket, waiting, ledger);
}

function takeAnswers(socket, waiting, ledger) {
  for (const frame of socket.rest.frames.splice(0)) {
    if (frame.type === 'Notice') continue;
    if (frame.code === 'RATE_LIMITED') continue;
    assert.equal(frame.type, 'Receipt', JSON.stringify(frame));
    ledger.settle(waiting.get(frame.hash), frame);
    waiting.delete(frame.hash);
  }
}

/** All receipts as the log has them now, no seq twice; returns the log by hash. */
async function verifyLog(ledger) {
  const { enclave } = ledger;
  const log = await fetchLog(enclave.client, enclave.id, null);
  assert.deepEqual(log.map(({ event }) => event.seq), log.map((_, i) => i), 'seq 0, 1, 2 …');
  const byHash = new Map(log.map(({ event }) => [event.hash, event]));
  assert.equal(byHash.size, log.length, 'no commit twice');
  for (const [hash, receipt] of ledger.receipts) {
    assert.ok(byHash.has(hash), `acknowledged seq ${receipt.seq} is lost`);
    assert.deepEqual(receiptOf(byHash.get(hash)), receipt);
  }
  return byHash;
}

async function verifyHeads(ledger) {
  const { enclave } = ledger;
  const now = await enclave.client.sth(enclave.id);
  for (const head of ledger.heads) {
    const proof = await enclave.client.consistency(enclave.id, head.ts, now.ts);
    assert.ok(verifyConsistency(proof, head.r, now.r), `head ${head.ts} and ${now.ts}`);
  }
  ledger.heads = [now];
}

/** Commits without an answer may be in the log or not; a repeat gets the truth. */
async function settleUnanswered(ledger, byHash) {
  for (const commit of ledger.unanswered.slice(-3)) {
    const answer = await ledger.enclave.client.commit(commit);
    assert.equal(answer.status, byHash.has(commit.hash) ? 409 : 200, answer.text);
    ledger.receipts.set(commit.hash, answer.json.receipt ?? answer.json);
  }
  ledger.unanswered = [];
}

async function verifyAll(ledgers) {
  for (const ledger of ledgers) {
    const byHash = await verifyLog(ledger);
    await verifyHeads(ledger);
    await settleUnanswered(ledger, byHash);
  }
}

/** Load on all enclaves; after a random while the signal; how the node ended. */
async function round(daemon, ledgers, random, name) {
  const stop = new AbortController();
  const load = ledgers.flatMap((ledger) => [driveSocket(ledger, stop.signal),
    ...Array.from({ length: CLIENTS }, () => drive(ledger, random, stop.signal))]);
  await sleep(30 + random.below(RUN_MS));
  const ended = await daemon.signal(name);
  stop.abort();
  await Promise.all(load);
  const client = await daemon.start();
  ledgers.forEach((ledger) => (ledger.enclave.client = client));
  return ended;
}

const acknowledged = (ledgers) => ledgers.reduce((sum, ledger) => sum + ledger.receipts.size, 0);

await runSuite(async ({ check }) => {
  const random = seededRandom();
  const daemon = await Daemon.start();
  const ledgers = await Promise.all(BUNDLES.slice(0, ENCLAVES).map(async (bundle) =>
    new Ledger(await Enclave.create(daemon.client, wall, { bundle }))));

  for (let i = 1; i <= ROUNDS; i++) {
    await check(`round ${i}: kill -9, nothing acknowledged is lost`, async () => {
      await round(daemon, ledgers, random, 'SIGKILL');
      await verifyAll(ledgers);
    });
  }
  for (let i = 1; i <= 2; i++) {
    await check(`SIGTERM ${i} under load: exit 0, nothing acknowledged is lost`, async () => {
      const ended = await round(daemon, ledgers, random, 'SIGTERM');
      assert.deepEqual(ended, { code: 0, signal: null });
      await verifyAll(ledgers);
    });
  }
  await check(`the replayer agrees with all ${ENCLAVES} logs`, async () => {
    assert.ok(acknowledged(ledgers) > ROUNDS * ENCLAVES, 'there was load');
    console.log(`${acknowledged(ledgers)} acknowledged commits`);
    for (const { enclave } of ledgers) {
      await sleep(150);
      await auditNode(enclave.client, enclave.id, enclave.owner, PROOFS);
    }
  }, 60_000);
  assert.equal((await daemon.stop()).code, 0);
});
