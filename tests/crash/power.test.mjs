#!/usr/bin/env node
// A power cut at many moments of a real daemon's life: what it wrote, synced and said is recorded,
// and power makes of it what a disk may hold after a cut. --long: more cuts.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Load, SETTINGS } from './load.mjs';
import { runSuite } from '../wire/lib/check.mjs';
import { start } from '../wire/lib/encctl.mjs';
import { Daemon, newFolder, PROGRAM } from '../wire/lib/process.mjs';
import { seededRandom } from '../wire/lib/random.mjs';
import { Receiver } from '../wire/lib/receiver.mjs';
import { sleep } from '../wire/lib/wait.mjs';

const LONG = process.argv.includes('--long');
const CUTS = Number(process.env.CUTS ?? (LONG ? 3000 : 240));
const LOAD_MS = LONG ? 700 : 350;
const SHARDS = '2';
const SYNC_US = 1500;
const BUILD = process.env.ENC_BUILD ?? path.dirname(PROGRAM);

/* The model wants memory, not a disk. */
if (fs.existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm';

/** A daemon that is recorded. */
function recorded(folder) {
  const root = path.join(folder, 'disk');
  fs.mkdirSync(root, { recursive: true });
  const env = { ...SETTINGS, LD_PRELOAD: path.join(BUILD, 'librecorder.so'), RECORD_DIR: root,
    RECORD_LOG: path.join(folder, 'journal'), RECORD_SYNC_US: String(SYNC_US),
    ENCLAVED_SHARDS: SHARDS };
  return new Daemon({ data: path.join(root, 'data'), env });
}

async function cut(folder, cuts, seed, more = []) {
  const words = [path.join(folder, 'journal'), '--cuts', `${cuts}`, '--seed', `${seed}`,
    '--shards', SHARDS, ...more];
  const done = await start(path.join(BUILD, 'power'), words).ended;
  const [, failures, receipts, heads, pushes] = done.out.match(
    /(\d+) failures; \d+ records, (\d+) receipts, (\d+) heads, (\d+) pushes/)?.map(Number) ?? [];
  return { ...done, failures, receipts, heads, pushes };
}

await runSuite(async ({ check }) => {
  const random = seededRandom();
  const folder = newFolder();
  const daemon = recorded(folder);
  const receiver = await Receiver.start();
  let load;

  await check('a life is recorded: start, load, kill -9, recovery, SIGTERM', async () => {
    const client = await daemon.start();
    load = await Load.create(client, random, receiver);
    await load.runFor(LOAD_MS);
    const stop = new AbortController();
    const running = load.run(stop.signal);
    await sleep(LOAD_MS);
    await daemon.kill();
    stop.abort();
    await running;
    load.turnTo(await daemon.start());
    await load.verify();
    receiver.statuses.push(500, 503);
    await load.runFor(LOAD_MS);
    assert.equal((await daemon.stop()).code, 0);
    console.log(`${load.acknowledged} acknowledged commits`);
  }, 60_000);
  await check(`${CUTS} power cuts: all that was said is there, and nothing is damaged`, async () => {
    const done = await cut(folder, CUTS, random.u32());
    console.log(done.out.trimEnd());
    assert.equal(done.code, 0, done.err);
    assert.ok(done.receipts >= load.acknowledged * 0.9, 'receipts are heard');
    assert.ok(done.heads > 0 && done.pushes > 0, 'so are heads and pushes');
  }, 540_000);
  await receiver.stop();
});
