#!/usr/bin/env node
// One bit is turned in a copy of a data directory: in a row of every table, and anywhere in the
// file. encctl fsck has to find it, or every row must still read as before. --long: many more.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Load, SETTINGS } from './load.mjs';
import { runSuite } from '../wire/lib/check.mjs';
import { encctl } from '../wire/lib/encctl.mjs';
import { Daemon, newFolder, PROGRAM } from '../wire/lib/process.mjs';
import { seededRandom } from '../wire/lib/random.mjs';
import { Receiver } from '../wire/lib/receiver.mjs';
import { sleep } from '../wire/lib/wait.mjs';

const LONG = process.argv.includes('--long');
const PER_TABLE = Number(process.env.FLIPS ?? (LONG ? 60 : 6));
const ANYWHERE = PER_TABLE * 10;
const BUILD = process.env.ENC_BUILD ?? path.dirname(PROGRAM);
const NOWHERE = 'http://127.0.0.1:1';
const FILE = 'shard-0/data.mdb';
const PAGE = 4096;
const PAGE_HEAD = 24;
const NODE_HEAD = 8;

/* A row and its table, an enclave, a page, or that the shard is none of this node's. */
const NAMES = /"ok":false.*("table"|"enclave"|"page")|"differs"|differ$|shard-0|another key/m;

/* What nothing can tell from what it might have been: table -> whether this byte of a row is so. */
const UNTOLD = {
  alarm: (row) => row.key.endsWith('02'), /* for pushes: early is harmless, late is caught up */
  meta: (row) => row.key === Buffer.from('epoch').toString('hex'),
  push_delivered: (row, at) => at >= row.valueAt && at < row.valueAt + 8, /* when */
  push_seq: (row, at) => at >= row.valueAt + 8, /* attempts, when next */
  head: (row, at) => row.key.length === 16 && isSpare(at - row.valueAt),
  push_pending: () => true, /* another event of the same queue, or another place in it */
};

/* Of a head: a version and a row number that only go on, and where a bundle began that is empty. */
const isSpare = (at) => (at >= 101 && at < 109) || (at >= 125 && at < 149);

function cells(file) {
  const text = execFileSync(path.join(BUILD, 'cells'), [file], { maxBuffer: 1 << 28 });
  return text.toString().split('\n').filter(Boolean).map((line) => {
    const [table, keyAt, keyLen, valueAt, valueLen, key, value] = line.split(' ');
    return { table, keyAt: +keyAt, keyLen: +keyLen, valueAt: +valueAt, valueLen: +valueLen, key,
      value };
  });
}

const shown = (rows) => rows.map(({ table, key, value }) => `${table} ${key} ${value}`);

class Victim {
  constructor(data) {
    Object.assign(this, { data, rows: cells(path.join(data, FILE)) });
    this.bytes = fs.readFileSync(path.join(data, FILE));
    this.used = this.#used();
    this.copy = path.join(newFolder(), 'data');
    fs.cpSync(data, this.copy, { recursive: true });
    fs.chmodSync(this.copy, 0o700);
  }

  /** The end of the last page that is in use: behind it are zeros. */
  #used() {
    let end = this.bytes.length;
    while (end > PAGE && this.bytes[end - 1] === 0) end--;
    return Math.ceil(end / PAGE) * PAGE;
  }

  write(at, bit) {
    const bytes = Buffer.from(this.bytes);
    if (at !== undefined) bytes[at] ^= 1 << bit;
    fs.writeFileSync(path.join(this.copy, FILE), bytes);
    fs.rmSync(path.join(this.copy, 'shard-0/lock.mdb'), { force: true });
  }

  /** { code, text } of fsck, and of project --check where that finds nothing. */
  async judge() {
    for (const words of [['fsck'], ['project', '--check']]) {
      const done = await encctl(NOWHERE, '--json', ...words, this.copy);
      assert.equal(done.signal, null, `${words} ended by ${done.signal}`);
      if (done.code !== 0) return { code: done.code, text: done.out + done.err };
    }
    return { code: 0, text: '' };
  }

  /** The rows of the damaged file: null when even the engine does not read it. */
  damaged() {
    try {
      return cells(path.join(this.copy, FILE));
    } catch {
      return null;
    }
  }
}

/** Something with rows in every table, stopped while pushes wait. */
async function populate(random) {
  const receiver = await Receiver.start();
  const daemon = await Daemon.start({ env: SETTINGS });
  const load = await Load.create(daemon.client, random, receiver);
  await load.runFor(500);
  await load.verifyPushes();
  receiver.hold();
  await load.runFor(500);
  await sleep(100);
  await daemon.kill();
  await receiver.stop();
  return daemon.data;
}

const isUntold = (row, at) => UNTOLD[row.table]?.(row, at) ?? false;

const holds = (row, at) => (at >= row.keyAt && at < row.keyAt + row.keyLen) ||
  (at >= row.valueAt && at < row.valueAt + row.valueLen);

/** null, or why a flip that nobody noticed is none that may be overlooked. */
function missed(victim, at) {
  const row = victim.rows.find((one) => holds(one, at));
  if (row && isUntold(row, at)) return null;
  const [before, after] = [shown(victim.rows), shown(victim.damaged() ?? [])];
  const same = before.length === after.length && before.every((line, i) => line === after[i]);
  return same ? null : `byte ${at}, ${row ? `${row.table}, key ${row.key}, ` +
    `${at - row.keyAt} of the key or ${at - row.valueAt} of the value` : 'of no row'}`;
}

/** Places to turn a bit at, in keys and values of one table. */
function* placesIn(random, rows) {
  for (let i = 0; i < PER_TABLE; i++) {
    const row = random.pick(rows);
    const inKey = random.chance(30) || row.valueLen === 0;
    yield inKey ? row.keyAt + random.below(row.keyLen) : row.valueAt + random.below(row.valueLen);
  }
}

await runSuite(async ({ check }) => {
  const random = seededRandom();
  if (fs.existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm';
  const victim = new Victim(await populate(random));
  const tables = [...new Set(victim.rows.map((row) => row.table))];
  let found = 0;
  let overlooked = 0;

  async function turn(at, place) {
    const bit = random.below(8);
    victim.write(at, bit);
    const { code, text } = await victim.judge();
    if (code !== 0) {
      found++;
      assert.match(text, NAMES, text);
      return;
    }
    overlooked++;
    victim.write(at, bit); /* opening it has written */
    const why = missed(victim, at);
    assert.equal(why, null, `${place}, bit ${bit}: not found; ${why}`);
  }

  await check('what nobody touched is sound', async () => {
    victim.write();
    assert.deepEqual(await victim.judge(), { code: 0, text: '' });
    assert.ok(tables.length >= 14, `rows in ${tables}`);
  });
  for (const table of tables) {
    const rows = victim.rows.filter((row) => row.table === table);
    await check(`${table}: a turned bit in ${rows.length} rows is found`, async () => {
      for (const at of placesIn(random, rows)) await turn(at, table);
    }, 300_000);
  }
  await check('heads of nodes and pages: found, or every row is as it was', async () => {
    for (let i = 0; i < 4 * PER_TABLE; i++) {
      const page = random.below(victim.used / PAGE) * PAGE;
      const node = random.pick(victim.rows).keyAt - NODE_HEAD;
      await turn(random.chance(50) ? page + random.below(PAGE_HEAD) :
        node + random.below(NODE_HEAD), 'heads');
    }
  }, 400_000);
  await check('anywhere in the file: found, or every row is as it was', async () => {
    for (let i = 0; i < ANYWHERE; i++) await turn(random.below(victim.used), 'anywhere');
  }, 400_000);
  console.log(`${found} found, ${overlooked} changed nothing that is told`);
});
