#!/usr/bin/env node
// A real node under random commits: each answer is foretold, then the replayer audits everything.

import assert from 'node:assert/strict';
import { runSuite } from '../wire/lib/check.mjs';
import { assertError } from '../wire/lib/errors.mjs';
import { forum } from '../wire/lib/fixtures.mjs';
import { Daemon } from '../wire/lib/process.mjs';
import { seededRandom } from '../wire/lib/random.mjs';
import { ALL_STATUS, auditNode } from './audit.mjs';
import { Mirror } from './mirror.mjs';
import { Workload } from './workload.mjs';

const COMMITS = 130;
const PEOPLE = 5;

/* A bundle rule each, and how the enclave ends. */
const WORLDS = [
  { name: 'bundles of 4', bundle: { size: 4, timeout: 0 }, end: 'Migrate' },
  { name: 'bundles of 1', bundle: { size: 1, timeout: 0 }, end: null },
  { name: 'bundles of 7 or 40 ms', bundle: { size: 7, timeout: 40 }, end: 'Terminate' },
  { name: 'one open bundle', bundle: { size: 65_536, timeout: 0 }, end: null },
];

async function populate(client, random, { bundle }) {
  const mirror = await Mirror.create(client, forum, { bundle });
  const workload = Workload.withPeople(random, mirror.owner, PEOPLE);
  for (let i = 0; i < COMMITS; i++) await mirror.submit(workload.next(mirror, mirror.model));
  await workload.settle(mirror);
  return { mirror, workload };
}

const ENDS = {
  Terminate: () => '',
  Migrate: (model) => ({ new_sequencer: model.seqPub, prev_seq: model.seq, ct_root: model.ctRoot }),
};

async function finish({ mirror, workload }, type) {
  const owner = workload.owner(mirror.model);
  const code = await mirror.submit(mirror.make(owner, type, ENDS[type](mirror.model)));
  assert.equal(code, null);
  assert.equal(mirror.model.open.length, 0);
  const final = type === 'Migrate' ? 'ENCLAVE_MIGRATED' : 'ENCLAVE_TERMINATED';
  const body = assertError(await mirror.tryAdd(owner, 'Post', 'too late'), final);
  if (type === 'Migrate') assert.equal(body.new_sequencer, mirror.model.seqPub);
}

/** A reader that sees every event: the present Owner. */
const auditor = ({ mirror, workload }) => workload.owner(mirror.model);

function audit(world) {
  return auditNode(world.mirror.client, world.mirror.id, auditor(world));
}

const shown = ({ event, status }) => `${event.seq} ${status}`;

/** What each key and the public may read, against what the node returns. */
async function compareReaders({ mirror, workload }) {
  for (const as of [null, ...workload.keys]) {
    const got = await mirror.client.queryAll(mirror.id, { ...ALL_STATUS, limit: 37 }, { as });
    const want = [...mirror.model.entries.values()].filter(
      ({ event }) => mirror.model.reads(as?.pub ?? null, event));
    assert.deepEqual(got.map(shown), want.map(shown));
  }
}

await runSuite(async ({ check }) => {
  const random = seededRandom();
  const daemon = await Daemon.start();
  const worlds = [];
  for (const world of WORLDS) {
    await check(`${world.name}: ${COMMITS} random commits are answered as foretold`, async () => {
      worlds.push({ ...world, ...await populate(daemon.client, random, world) });
    });
  }
  for (const world of worlds) {
    const { accepted, refused } = world.mirror;
    await check(`${world.name}: ${accepted} accepted, ${refused} refused, the audit agrees`,
      () => audit(world));
    await check(`${world.name}: each reader sees the events of its roles`,
      () => compareReaders(world));
    if (!world.end) continue;
    await check(`${world.name}: ${world.end} ends it, the audit agrees`, async () => {
      await finish(world, world.end);
      await audit(world);
    });
  }
  await check('after a restart the node gives the same answers', async () => {
    const client = await daemon.restart();
    for (const world of worlds) {
      world.mirror.client = client;
      await audit(world);
    }
  });
  await check('SIGTERM ends with status 0', async () => {
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  });
});
