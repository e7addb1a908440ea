#!/usr/bin/env node
// A long time at load, under churn of connections and enclaves: memory, descriptors, threads and latency stay flat,
// nothing is refused, nothing is lost. SOAK_S is how long (default an hour), SOAK_LOG a file for the samples.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { runSuite } from '../wire/lib/check.mjs';
import { assertOk } from '../wire/lib/errors.mjs';
import { Enclave, wall } from '../wire/lib/fixtures.mjs';
import { newKey } from '../wire/lib/keys.mjs';
import { readMetrics } from '../wire/lib/metrics.mjs';
import { Daemon, PROGRAM, newFolder } from '../wire/lib/process.mjs';
import { Raw } from '../wire/lib/raw.mjs';
import { Receiver } from '../wire/lib/receiver.mjs';
import { Socket } from '../wire/lib/socket.mjs';
import { sleep, until } from '../wire/lib/wait.mjs';
import { Process, mib } from '../faults/lib/fault.mjs';
import { Ledger, stopSound } from '../faults/lib/ledger.mjs';

const SOAK_S = Number(process.env.SOAK_S ?? 3600);
const SAMPLE_MS = Math.min(10_000, SOAK_S * 50); /* twenty samples at least */
/* Bytes that the line through all samples may gain: tables of fixed size are filled by and by. */
const MEMORY_SLACK = (2 + 2 * Math.min(1, SOAK_S / 3600)) * 1048576 * Number(process.env.ENC_PATIENCE ?? 1);
const LOAD = path.join(path.dirname(PROGRAM), 'load');
const ROUND = 3000; /* commits of one round of the generator, into enclaves that are new */
const WIRES = ['ws', 'h2', 'h1'];

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** What the straight line through points gains from the first to the last. */
function gain(points) {
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))];
  const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  const slope = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0) / spread;
  return slope * (points.at(-1)[0] - points[0][0]);
}

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start({ env: { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true',
    ENCLAVED_BOOTSTRAP_OPEN: 'true', ENCLAVED_LIMITS_IDLE_MS: '1000' } });
  const { client } = daemon;
  const held = new Process(daemon);
  const receiver = await Receiver.start();
  const { port } = new URL(daemon.url);
  const samples = [];
  const done = { commits: 0, rounds: 0, visits: 0, pushes: 0 };
  const ledgers = [];
  let isOver = false;

  async function generate(...words) {
    const { stdout } = await promisify(execFile)(LOAD, words.map(String), { env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
    return JSON.parse(stdout);
  }
  async function send(wire, file, count) {
    const { accepted } = await generate('send', '--wire', wire, '--host', '127.0.0.1', '--port', port,
      '--pid', daemon.child.pid, '--file', file, '--in_flight', 32, '--connections', 2);
    assert.equal(accepted, count, 'the generator was refused');
  }
  /* Enclaves that are new each time, and retire a second later. */
  async function loads() {
    for (; !isOver; done.rounds++) {
      const dir = newFolder();
      const wire = WIRES[done.rounds % WIRES.length];
      await generate('sign', '--dir', dir, '--count', ROUND, '--enclaves', 20, '--bundle', 64,
        '--seed', `soak${done.rounds}`, '--first', 0);
      await send(wire, path.join(dir, 'manifests.txt'), 20);
      await send(wire, path.join(dir, 'commits.txt'), ROUND);
      fs.rmSync(dir, { recursive: true });
      done.commits += ROUND + 20;
    }
  }
  const VISITS = [
    async (enclave) => {
      const socket = await Socket.open(client);
      await socket.query('s', enclave.id, { limit: 20 }).stored();
      socket.terminate();
    },
    async (enclave) => {
      const raw = await Raw.open(daemon.url);
      raw.write(`GET /enclave/${enclave.id}/events HTTP/1.1\r\nHost: t\r\nAccept: text/event-stream\r\n\r\n`);
      await raw.whenText(/EOSE/);
      raw.end();
    },
    async () => (await Raw.open(daemon.url)).write('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf').end(),
    async (enclave) => assertOk(await client.query(enclave.id, { limit: 20, reverse: true }, { as: newKey() })),
    async (enclave) => assertOk(await client.get(`/enclave/${enclave.id}/sth`)),
  ];
  async function visits() {
    for (; !isOver; done.visits++) {
      const { enclave } = ledgers[done.visits % ledgers.length];
      await VISITS[done.visits % VISITS.length](enclave);
    }
  }
  /* Receivers that come and go with their enclaves. */
  async function pushes() {
    for (; !isOver; done.pushes++) {
      const enclave = await Enclave.create(client);
      const hook = `/${done.pushes}`;
      await enclave.add(enclave.owner, 'Grant_Push', { identity: newKey().pub, role: 'Sink', endpoint: receiver.url(hook) });
      await enclave.post(enclave.owner);
      await until(() => receiver.on(hook).length > 0, 'a push');
      await enclave.add(enclave.owner, 'Terminate', '');
      if (receiver.requests.length > 1000) receiver.requests.splice(0, 500);
    }
  }
  /* Latency as one client sees it, into enclaves that are checked at the end. */
  async function probe() {
    const took = [];
    for (const ledger of ledgers) {
      for (const commit of ledger.commits(5)) {
        const begun = performance.now();
        const [answer] = await ledger.send([commit], 1);
        took.push(performance.now() - begun);
        assertOk(answer);
      }
    }
    return took.sort((a, b) => a - b);
  }
  async function watch() {
    for (const end = Date.now() + SOAK_S * 1000; Date.now() < end;) {
      await sleep(SAMPLE_MS);
      const took = await probe();
      const page = await readMetrics(daemon);
      samples.push({ at: Date.now(), memory: held.memory, descriptors: held.descriptors, threads: held.threads,
        p50: median(took), p99: took.at(-1),
        commits: [...page].reduce((sum, [series, value]) => sum + (/^enclaved_commits_total\{.*accepted/.test(series) ? value : 0), 0), visits: done.visits, pushes: done.pushes, stored: page.get('enclaved_store_used_bytes{shard="0"}') ?? page.get('enclaved_store_used_bytes') });
      if (process.env.SOAK_LOG) fs.appendFileSync(process.env.SOAK_LOG, `${JSON.stringify(samples.at(-1))}\n`);
    }
    isOver = true;
  }

  await check(`${SOAK_S} s of load: nothing is refused`, async () => {
    for (let i = 0; i < 4; i++) ledgers.push(await Ledger.create(client, { bundle: { size: 16, timeout: 1000 } }));
    const works = [loads(), visits(), pushes(), watch()];
    await Promise.all(works.map((work) => work.finally(() => (isOver = true))));
    console.log(`        ${done.commits} commits into ${20 * done.rounds} new enclaves, ${done.visits} visits, ${done.pushes} receivers`);
  }, SOAK_S * 1000 + 120_000);
  const steady = samples.slice(samples.length >> 2); /* what comes before warms up */
  const line = (name) => steady.map((sample) => [sample.at, sample[name]]);
  const begin = steady.slice(0, steady.length / 3 | 0);
  const end = steady.slice(-begin.length);
  await check('memory is flat', () => {
    const grown = gain(line('memory'));
    console.log(`        ${mib(begin[0].memory)} to ${mib(end.at(-1).memory)}, the line gains ${mib(grown)}`);
    assert.ok(grown < MEMORY_SLACK, `${mib(grown)} more`);
  });
  await check('descriptors and threads are flat', () => {
    const more = (name) => median(end.map((sample) => sample[name])) - median(begin.map((sample) => sample[name]));
    assert.ok(more('descriptors') <= 8, `${more('descriptors')} descriptors more`);
    assert.ok(more('threads') <= 3, `${more('threads')} threads more`);
  });
  await check('latency is flat', () => {
    for (const name of ['p50', 'p99']) {
      const [first, last] = [begin, end].map((part) => median(part.map((sample) => sample[name])));
      console.log(`        ${name} ${first.toFixed(1)} ms, then ${last.toFixed(1)} ms`);
      assert.ok(last < 1.5 * first + 5, `${name}: ${first.toFixed(1)} ms, then ${last.toFixed(1)} ms`);
    }
  });
  await check('bytes per event are flat', () => {
    const cost = (part) => (part.at(-1).stored - part[0].stored) / (part.at(-1).commits - part[0].commits);
    const [first, last] = [cost(begin), cost(end)];
    console.log(`        ${first.toFixed(0)} bytes an event, then ${last.toFixed(0)}`);
    assert.ok(last < 1.25 * first + 100, `${first} then ${last}`);
  });
  await check('every receipt is there, the logs are sound, the directory too', async () => {
    for (const ledger of ledgers) await ledger.verify();
    await receiver.stop();
    await stopSound(daemon);
  }, 300_000 + 2000 * SOAK_S);
});
