#!/usr/bin/env node
// The log from outside: a closed list of happenings, nobody waits for its reader, crashes leave a line, levels per room.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSuite } from './lib/check.mjs';
import { Client } from './lib/client.mjs';
import { request } from './lib/http.mjs';
import { Daemon, PROGRAM, newFolder } from './lib/process.mjs';
import { sleep, until } from './lib/wait.mjs';

const REPO = fileURLToPath(new URL('../..', import.meta.url));
const ALL = { ENCLAVED_LOG_ACCESS_SAMPLE: '1' };
const COMMON = ['time', 'level', 'room', 'event', 'msg'];

/** event -> { level, room, msg, fields } of every row of log.def. */
function happenings() {
  const text = fs.readFileSync(path.join(REPO, 'net/log.def'), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const rows = text.matchAll(/ENC_HAPPENING\(\s*(\w+),\s*(\w+),\s*(\w+),\s*"([^"]*)",\s*"([^"]*)"\s*\)/g);
  return new Map([...rows].map(([, event, level, room, msg, fields]) => [event.toLowerCase(),
    { level: level.toLowerCase(), room: room.toLowerCase(), msg, fields: fields.split(' ') }]));
}

const LISTED = happenings();

/** What is wrong with a line, or null. */
function wrongIn(line) {
  const row = LISTED.get(line.event);
  if (!row) return 'not in the list';
  for (const key of ['level', 'room', 'msg']) if (line[key] !== row[key]) return `${key} is not that of the list`;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(line.time)) return 'time';
  return Object.keys(line).find((key) => !COMMON.includes(key) && !row.fields.includes(key)) ?? null;
}

const assertListed = (lines) => lines.forEach((line) => assert.equal(wrongIn(line), null, JSON.stringify(line)));

const fileOf = (text) => {
  const file = path.join(newFolder(), 'enclaved.yaml');
  fs.writeFileSync(file, text);
  return file;
};

/** A daemon whose stderr is a pipe that nobody reads once it listens; its output until then comes through a file. */
async function unread(args, env = {}) {
  const data = newFolder();
  const pipe = path.join(newFolder(), 'stderr');
  await once(spawn('mkfifo', [pipe]), 'exit');
  /* open for both, so that neither end waits */
  const fd = fs.openSync(pipe, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  const child = spawn(PROGRAM, ['--data', data, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...args],
    { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', fs.openSync(pipe, fs.constants.O_RDWR)] });
  process.on('exit', () => child.kill('SIGKILL'));
  let text = '';
  const read = () => {
    const buffer = Buffer.alloc(65536);
    for (;;) {
      try {
        text += buffer.subarray(0, fs.readSync(fd, buffer)).toString();
      } catch {
        return text;
      }
    }
  };
  const addressOf = (listener) => read().match(new RegExp(`"listener":"${listener}","address":"([^"]+)"`))?.[1];
  const [at, admin] = await until(() => addressOf('public') && addressOf('admin')
    && [addressOf('public'), addressOf('admin')], 'listening');
  const lines = () => read().trimEnd().split('\n').map((line) => JSON.parse(line));
  return { child, read, url: `http://${at}`, admin: `http://${admin}`, lines, exited: once(child, 'exit') };
}

await runSuite(async ({ check }) => {
  await check('the list has events of every room, and each message once', () => {
    assert.ok(LISTED.size > 15);
    assert.deepEqual([...new Set([...LISTED.values()].map((row) => row.room))].sort(), ['net', 'services', 'store']);
    assert.equal(new Set([...LISTED.values()].map((row) => row.msg)).size, LISTED.size);
  });
  await check('a life from start to stop: every line is of the list', async () => {
    const daemon = await Daemon.start({ env: { ENCLAVED_DURABILITY: 'os' } });
    daemon.child.kill('SIGHUP');
    await until(() => daemon.lines.some((line) => line.event === 'reloaded'), 'reloaded');
    await daemon.stop();
    assertListed(daemon.lines);
    assert.deepEqual(daemon.lines.map((line) => line.event),
      ['no_sync', 'listening', 'listening', 'reloaded', 'draining', 'stopped']);
  });
  for (const [name, number] of [['SIGSEGV', 11], ['SIGABRT', 6]]) {
    await check(`${name} leaves a line, behind those that waited`, async () => {
      const daemon = await Daemon.start();
      daemon.child.kill('SIGHUP');
      await until(() => daemon.lines.some((line) => line.event === 'reloaded'), 'reloaded');
      assert.deepEqual(await daemon.signal(name), { code: null, signal: name });
      await until(() => daemon.lines.at(-1).event === 'crashed', 'the last line');
      assert.equal(daemon.lines.at(-1).signal, number);
      assertListed(daemon.lines);
    });
  }
  await check('levels of single rooms, and SIGHUP changes them', async () => {
    const file = fileOf('log:\n  levels: "store=error"\n');
    const daemon = await Daemon.start({ args: ['--config', file], env: { ENCLAVED_DURABILITY: 'os' } });
    assert.ok(!daemon.lines.some((line) => line.event === 'no_sync'), 'a warning of store');
    const reload = async (text) => {
      fs.writeFileSync(file, text);
      const before = daemon.lines.length;
      daemon.child.kill('SIGHUP');
      return { before };
    };
    await reload('log: {levels: "net=error,store=warn"}\n');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const quiet = daemon.lines.length;
    await reload('log: {levels: "net=garden"}\n');
    await until(() => daemon.lines.some((line) => line.event === 'not_reloaded'), 'an error of net');
    assert.equal(daemon.lines.length, quiet + 1, 'information of net was not wanted');
    assert.match(daemon.lines.at(-1).why, /log\.levels: net=garden: no such level/);
    await reload('log_level: info\n');
    await until(() => daemon.lines.at(-1).event === 'reloaded', 'information again');
    await daemon.stop();
    assertListed(daemon.lines);
  });
  await check('levels are read and changed at the admin listener, until SIGHUP', async () => {
    const daemon = await Daemon.start({ env: ALL });
    const levels = (method, body) => request(method, daemon.admin, '/log/levels', body);
    const wanted = { net: 'info', services: 'info', store: 'info' };
    assert.deepEqual((await levels('GET')).json, wanted);
    const answer = await levels('PUT', 'net=error,store=debug');
    assert.deepEqual([answer.status, answer.json], [200, { ...wanted, net: 'error', store: 'debug' }]);
    await sleep(200);
    const before = daemon.lines.length;
    await daemon.client.get('/info/node');
    for (const [body, said] of [['net=loud', /no such level/], ['net', /not ROOM=LEVEL/], ['x'.repeat(300), /not ROOM/],
      ['net=debug\0', /not ROOM/], ['garden=info', /no such room/]]) {
      const refused = await levels('PUT', body);
      assert.equal(refused.status, 400, body);
      assert.match(refused.json.message, said);
    }
    assert.deepEqual((await levels('GET')).json, answer.json);
    assert.equal((await levels('POST', 'net=debug')).status, 405);
    assert.equal((await request('PUT', daemon.admin, '/healthz', 'x')).status, 405);
    assert.equal((await request('GET', daemon.url, '/log/levels')).status, 404);
    assert.equal(daemon.lines.length, before, 'net is silent now');
    daemon.child.kill('SIGHUP');
    await until(() => daemon.lines.at(-1).event === 'reloaded', 'what the configuration says');
    assert.deepEqual((await levels('GET')).json, wanted);
    await daemon.stop();
    assertListed(daemon.lines);
  });
  await check('a reader of stderr that stalls: load goes on, what was lost is counted, the stop is in time', async () => {
    const daemon = await unread([], ALL);
    const load = () => {
      /* a line of 250 bytes each: the pipe takes 64 KiB, the queue 512 */
      const { stdout } = spawnSync('h2load', ['-n', '8000', '-c', '4', '-m', '10', `${daemon.url}/info/node`],
        { encoding: 'utf8', timeout: 15_000 });
      return stdout;
    };
    assert.match(load(), /8000 succeeded, 0 failed/);
    const { status, json } = await (await Client.of(daemon.url)).get('/info/node');
    assert.equal(status, 200);
    assert.ok(json.seq_pub);
    const { text: metrics } = await request('GET', daemon.admin, '/metrics');
    const dropped = Number(metrics.match(/^enclaved_log_lines_total\{result="dropped"\} (\d+)$/m)[1]);
    assert.ok(dropped > 3000, 'seen while nobody reads');
    const text = daemon.read();
    assert.ok(text.length < 800_000, 'nobody kept all of it');
    await until(() => /"event":"lines_lost"/.test(daemon.read()), 'what was lost');
    daemon.child.kill('SIGTERM');
    const [code] = await daemon.exited;
    assert.equal(code, 0);
    const lines = daemon.lines();
    assertListed(lines);
    const told = lines.filter((line) => line.event === 'request').length;
    const lost = lines.filter((line) => line.event === 'lines_lost').reduce((sum, line) => sum + line.lines, 0);
    assert.equal(told + lost, 8000 + 3, 'none is missing without being counted');
    assert.ok(lost > 3000);
  });
  await check('a stop while nobody reads is in time, too', async () => {
    const daemon = await unread([], ALL);
    spawnSync('h2load', ['-n', '8000', '-c', '4', '-m', '10', `${daemon.url}/info/node`], { timeout: 15_000 });
    const begun = Date.now();
    daemon.child.kill('SIGTERM');
    const [code] = await daemon.exited;
    assert.equal(code, 0);
    assert.ok(Date.now() - begun < 6000, `${Date.now() - begun} ms`);
  });
});
