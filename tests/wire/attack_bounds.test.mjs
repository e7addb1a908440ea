#!/usr/bin/env node
// Under each attack, measured: memory, CPU time, connections, and how long everybody else waits for an answer.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { runSuite } from './lib/check.mjs';
import { toBig, toHex } from './lib/bytes.mjs';
import { makeCommit } from './lib/commit.mjs';
import { envelope } from './lib/client.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import * as keys from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { Raw } from './lib/raw.mjs';
import { forgeToken } from './lib/session.mjs';
import { sleep, until } from './lib/wait.mjs';

const MIB = 1 << 20;
const SECONDS = Number(process.env.ATTACK_SECONDS ?? 1.5);
const PATIENCE = Number(process.env.ENC_PATIENCE ?? 1);
const TICKS = 100; /* of a second, in /proc/PID/stat */

/* name: memory that may be added in MiB, share of one processor, the slowest answer to others in ms. The processor is shared
   with the attacker, so that the share is what it costs us per second of attack and not what it costs the attacker. */
const BOUNDS = {
  'rapid reset': { mib: 24, cpu: 1.2, ms: 1000 },
  'resets by the server': { mib: 24, cpu: 1.2, ms: 1000 },
  'CONTINUATION flood': { mib: 24, cpu: 1.2, ms: 1000 },
  'HPACK bomb': { mib: 64, cpu: 1.2, ms: 1000 },
  'PING flood': { mib: 24, cpu: 1.2, ms: 1000 },
  'slow head': { mib: 16, cpu: 0.5, ms: 600 },
  'slow body': { mib: 16, cpu: 0.5, ms: 600 },
  'oversize body': { mib: 48, cpu: 1.2, ms: 1000 },
  'compression bomb': { mib: 32, cpu: 1.2, ms: 1000 },
  'forged sessions': { mib: 24, cpu: 1.5, ms: 1000 },
  'replayed proofs': { mib: 24, cpu: 1.5, ms: 1000 },
  'malleated signatures': { mib: 24, cpu: 1.5, ms: 1000 },
  'colliding names': { mib: 48, cpu: 1.5, ms: 1000 },
  'hash flood of enclaves': { mib: 24, cpu: 1.5, ms: 1000 },
};

/** s negated: a second signature of the same message for schemes that allow it. */
function malleate(commit) {
  const s = toBig(Buffer.from(commit.sig.slice(64), 'hex'));
  return { ...commit, sig: commit.sig.slice(0, 64) + toHex(keys.scalarBytes(keys.ORDER - s)) };
}

/** Names that a hash by 33 or 31 puts into one place; no two are equal. */
function collidingNames(count) {
  const bits = Math.ceil(Math.log2(count));
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: bits }, (_, bit) => (i >> bit & 1 ? 'Ez' : 'FY')).join(''));
}

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start({ env: { ENCLAVED_LIMITS_REQUEST_TIMEOUT_MS: '5000' } });
  const { pid } = daemon.child;
  const { url, admin, client } = daemon;
  const enclave = await Enclave.create(client, wall);
  const closedClub = await Enclave.create(client);
  const stranger = keys.newKey();

  const resident = () => Number(fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  const cpu = () => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13)
    .reduce((sum, ticks) => sum + Number(ticks) / TICKS, 0);
  const metric = async (row) => {
    const { text } = await request('GET', admin, '/metrics');
    return Number(text.split('\n').find((line) => line.startsWith(`${row} `))?.split(' ')[1]);
  };

  /** A token that satisfies the equation for the Owner's key, sealed under a stranger's. */
  const forged = () => JSON.stringify(envelope(client.seqPub, 'Query', closedClub.id,
    { session: forgeToken(closedClub.owner.pub), filter: {} }, { as: stranger }).body);
  const replayed = JSON.stringify(envelope(client.seqPub, 'Query', enclave.id, { filter: {} }, { as: stranger }).body)
    .replaceAll(enclave.id, closedClub.id);
  const materials = {
    'forged sessions': Array.from({ length: 20 }, forged),
    'replayed proofs': [replayed],
    'malleated signatures': Array.from({ length: 50 }, (_, i) =>
      JSON.stringify(malleate(enclave.make(enclave.owner, 'Post', `m${i}`)))),
    'colliding names': [JSON.stringify({ ...enclave.make(enclave.owner, 'Post', 'x'),
      ...Object.fromEntries(collidingNames(15_000).map((name) => [name, 1])) })],
    'hash flood of enclaves': Array.from({ length: 300 }, () =>
      JSON.stringify(makeCommit(stranger, toHex(randomBytes(32)), 'Post', 'x'))),
  };

  /** The slowest and the middle answer to somebody else, asked every 20 ms until the end. */
  async function bystander(isOver) {
    const times = [];
    for (let i = 0; !isOver(); i++) {
      const begun = performance.now();
      if (i % 5 === 0) await enclave.post(enclave.owner, `beside ${i}`);
      else assert.equal((await request('GET', url, '/info/node')).status, 200);
      times.push(performance.now() - begun);
      await sleep(20);
    }
    times.sort((a, b) => a - b);
    return { count: times.length, middle: times[times.length >> 1], slowest: times.at(-1) };
  }

  /** Run an attack and measure; memory is looked at all the time. */
  async function measure(name) {
    const before = { resident: resident(), cpu: cpu(), at: performance.now() };
    let isOver = false, peak = 0, connections = 0;
    const worker = new Worker(new URL('./lib/attack_worker.mjs', import.meta.url),
      { workerData: { name, url, materials: materials[name], seconds: SECONDS } });
    const sent = new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
    const watch = setInterval(() => (peak = Math.max(peak, resident())), 10);
    sent.finally(() => (isOver = true)).catch(() => {});
    const [others, what] = await Promise.all([bystander(() => isOver), sent,
      sleep(SECONDS * 500).then(async () => (connections = await metric('enclaved_connections_open')))]);
    clearInterval(watch);
    const wall = (performance.now() - before.at) / 1000;
    return { others, sent: what.sent, connections, mib: (peak - before.resident) / MIB, cpu: (cpu() - before.cpu) / wall };
  }

  await request('GET', url, '/info/node');
  for (const [name, bound] of Object.entries(BOUNDS)) {
    await check(`${name}: at most ${bound.mib} MiB, ${bound.cpu} processors, ${bound.ms} ms for others`, async () => {
      const got = await measure(name);
      console.log(`        sent ${got.sent}, +${got.mib.toFixed(1)} MiB, ${got.cpu.toFixed(2)} processors, ` +
        `${got.connections} connections, others ${got.others.middle.toFixed(1)} ms, at most ${got.others.slowest.toFixed(0)} ms`);
      assert.ok(got.sent > 0, 'it was an attack');
      assert.ok(got.others.count >= 10, 'others were served');
      assert.ok(got.mib <= bound.mib * PATIENCE, `${got.mib} MiB`);
      assert.ok(got.cpu <= bound.cpu * PATIENCE, `${got.cpu} processors`);
      assert.ok(got.others.slowest <= bound.ms * PATIENCE, `${got.others.slowest} ms`);
      assert.ok(got.connections <= 100, `${got.connections} connections`);
      await until(async () => await metric('enclaved_connections_open') < 20, 'its connections to be gone', 8000);
    }, 30_000);
  }
  await check('what was forged, replayed or malleated was refused', async () => {
    for (const [name, code] of [['forged sessions', 'INVALID_SESSION'], ['replayed proofs', ''], ['malleated signatures', 'INVALID_SIGNATURE'],
      ['hash flood of enclaves', 'ENCLAVE_NOT_FOUND']]) {
      const { status, json } = await request('POST', url, '/', materials[name][0]);
      assert.ok(status >= 400, `${name}: ${status}`);
      if (code) assert.equal(json.code, code, name);
    }
    const last = await client.info(enclave.id);
    const posts = await client.queryAll(enclave.id, { type: 'Post' });
    assert.ok(posts.every(({ event = {}, content = event.content }) => !/^m\d/.test(content ?? '')), JSON.stringify(last));
  });
  await check('paths with tricks in them are 404 or 400, and never a file', async () => {
    const tricks = ['/../../etc/passwd', '/..%2f..%2fetc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '//etc/passwd', '/./info/../../etc/passwd',
      '/info/node/../../node.key', '/enclave/..', `/enclave/${enclave.id}/../../../node.key`, '/info%00/node', '/info/node%00.js', '/\\..\\..\\etc',
      `/enclave/${enclave.id}%2fsth`, '/%', '/%zz', 'http://other.example/../etc/passwd', '/chat/../../node.key', `/${'a/'.repeat(2000)}`];
    for (const path of tricks) {
      const raw = await Raw.open(url);
      raw.write(`GET ${path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n`);
      await raw.whenClosed();
      assert.ok(raw.statuses.length === 1 && raw.statuses[0] >= 400 && raw.statuses[0] < 500, `${path}: ${raw.statuses}`);
      assert.doesNotMatch(raw.text, /root:|[0-9a-f]{64}\n$/);
    }
    assert.equal((await request('GET', url, '/info/node')).status, 200);
  });
  await check('it ends well', async () => assert.equal((await daemon.stop()).code, 0));
});
