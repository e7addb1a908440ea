#!/usr/bin/env node
// kill -9 at any moment under every kind of load, and while the node starts: afterwards the whole
// directory is sound, what was acknowledged is there byte for byte, heads seen before agree with
// those after, and every push arrives, in order. --long: 210 rounds.

import assert from 'node:assert/strict';
import { Load, SETTINGS } from './load.mjs';
import { runSuite } from '../wire/lib/check.mjs';
import { encctl } from '../wire/lib/encctl.mjs';
import { Daemon } from '../wire/lib/process.mjs';
import { seededRandom } from '../wire/lib/random.mjs';
import { Receiver } from '../wire/lib/receiver.mjs';
import { sleep } from '../wire/lib/wait.mjs';
import { auditNode } from '../replay/audit.mjs';

const LONG = process.argv.includes('--long');
const ROUNDS = 15; /* of one directory */
const LIVES = LONG ? 14 : 1;
const RUN_MS = 450;
const START_MS = 90;
const PROOFS = 15;
const NOWHERE = 'http://127.0.0.1:1';

/** A directory, its daemon, and the load on it. */
class Life {
  constructor(random) {
    Object.assign(this, { random, kills: 0 });
  }

  async begin() {
    this.receiver = await Receiver.start();
    this.daemon = new Daemon({ env: SETTINGS });
    if (this.random.chance(70)) await this.stillborn();
    const client = await this.daemon.start();
    this.load = await Load.create(client, this.random, this.receiver);
  }

  /** Killed somewhere in its start, before or after it listens. */
  async stillborn() {
    const starting = this.daemon.start().catch(() => null);
    await sleep(this.random.below(START_MS));
    await this.daemon.kill();
    this.kills++;
    await starting;
  }

  async round() {
    const stop = new AbortController();
    this.phase = 'load';
    if (this.random.chance(30)) this.receiver.statuses.push(500);
    const load = this.load.run(stop.signal);
    await sleep(20 + this.random.below(RUN_MS));
    await this.daemon.kill();
    this.kills++;
    stop.abort();
    this.phase = 'end of the load';
    await load;
    this.phase = 'starts';
    while (this.random.chance(40)) await this.stillborn();
    this.phase = 'fsck';
    await this.sound();
    this.phase = 'start';
    this.load.turnTo(await this.daemon.start());
    this.phase = 'verify';
    await this.load.verify();
    this.phase = null;
  }

  /** Nobody has it open: all rows, all enclaves, all DataViews. */
  async sound() {
    for (const words of [['fsck'], ['project', '--check']]) {
      const done = await encctl(NOWHERE, ...words, this.daemon.data);
      assert.equal(done.code, 0, `${words}: ${done.out}${done.err}`);
    }
  }

  async audit() {
    await this.load.verifyPushes();
    for (const one of this.load.forums) {
      const { enclave, workload, replay } = one;
      const owner = workload.owner(replay.model);
      await auditNode(enclave.client, enclave.id, one.reader ?? owner, PROOFS);
    }
  }

  async end() {
    assert.deepEqual(await this.daemon.stop(), { code: 0, signal: null });
    await this.sound();
    await this.receiver.stop();
  }
}

await runSuite(async ({ check }) => {
  const random = seededRandom();
  for (let n = 1; n <= LIVES; n++) {
    const life = new Life(random);
    await life.begin();
    for (let i = 1; i <= ROUNDS; i++) {
      await check(`directory ${n}, round ${i}: kill -9, nothing is lost`, () => life.round());
      if (life.phase) console.log(`    ended in: ${life.phase}`);
    }
    await check(`directory ${n}: pushes arrived in order, the replayer agrees`, async () => {
      assert.ok(life.load.acknowledged > ROUNDS * 10, 'there was load');
      console.log(`${life.kills} kills, ${life.load.acknowledged} acknowledged commits`);
      await life.audit();
    }, 60_000);
    await check(`directory ${n}: SIGTERM under load`, async () => {
      const stop = new AbortController();
      const load = life.load.run(stop.signal);
      await sleep(150);
      await life.end();
      stop.abort();
      await load;
    });
  }
});
