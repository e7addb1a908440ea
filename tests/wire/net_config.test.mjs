#!/usr/bin/env node
// Configuration, first start and refusals of a start: one line that names what is wrong, and the right status.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { newCertificate } from './lib/certificate.mjs';
import { runSuite } from './lib/check.mjs';
import { request } from './lib/http.mjs';
import { Daemon, PROGRAM, newFolder } from './lib/process.mjs';
import { until } from './lib/wait.mjs';

/** Run to the end: { status, out, err }. */
function enclaved(args, env = {}) {
  const { status, stdout, stderr } = spawnSync(PROGRAM, args,
    { env: { ...process.env, ...env }, encoding: 'utf8', timeout: 15_000 });
  return { status, out: stdout, err: stderr };
}

const fileOf = (text) => {
  const file = path.join(newFolder(), 'enclaved.yaml');
  fs.writeFileSync(file, text);
  return file;
};

/* text of the file, what its error line must say after the path */
const ID = 'ab'.repeat(32);
const OFF_CURVE = 'ff'.repeat(32);
const POINT = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'; // the generator

const BAD_FILES = [
  ['listen: 127.0.0.1', ':1: listen: not HOST:PORT'],
  ['data: ./d\nlisten: ":99999"', ':2: listen: not HOST:PORT'],
  ['limits:\n  body: lots', ':2: limits.body: not a number'],
  ['limits:\n  body: 12', ':2: limits.body: not between 1024 and 16777216'],
  ['limits:\n  body: -5', ':2: limits.body: not a number'],
  ['# a comment\n\nunknown: 1', ':3: unknown: unknown key'],
  ['push:\n  allow_http: yes', ':2: push.allow_http: neither true nor false'],
  ['push:\n  allow: true', ':2: push.allow: unknown key'],
  ['push: true', ':1: push: must be a mapping of keys'],
  ['durability: maybe', ':1: durability: not one of commit|os'],
  ['threads: 2\nthreads: 3', ':2: threads: given twice'],
  ['threads: [2]', ':1: threads: must be a single value'],
  ['service: [enc-node, nonsense]', 'service: nonsense: no such service'],
  ['- a list', ':1: must be a mapping of keys'],
  ['data: [', ':'],
  ['data: "a\\0b"', ':1: data: contains a NUL'],
  ['tls:\n  listen: 127.0.0.1:0', 'tls.listen: needs tls.certificate and tls.key'],
  ['tls:\n  key: k.pem', 'tls.certificate: is missing'],
  ['registry:\n  owner: abc', 'registry.owner: not a public key'],
  [`registry: {owner: ${OFF_CURVE}}`, 'registry.owner: not a public key'],
  ['registry: {follow: [abc]}', 'registry.follow: abc: not ENCLAVE/SEQUENCER'],
  [`registry: {follow: [${ID}/${OFF_CURVE}]}`, `${OFF_CURVE}: not ENCLAVE/SEQUENCER`],
  [`registry: {follow: [${ID}.${POINT}]}`, 'not ENCLAVE/SEQUENCER'],
  [`registry: {follow: [${ID}/${POINT}, ${ID.toUpperCase()}/${POINT}]}`, 'given before'],
  ['services:\n  nobody:\n    hosts: [a]', ':2: services.nobody: unknown key'],
  ['services:\n  chat:\n    hosts: ["a:80"]', 'services.chat.hosts: a:80: not a host name'],
  ['services: {chat: {hosts: [a]}, enc-node: {hosts: [A]}}', 'a: given twice'],
  ['limits:\n  content: 4194304\n  body: 2097152', 'limits.content: larger than limits.body'],
];

const BAD_ARGS = [
  [['--listen', 'x'], '--listen: not HOST:PORT'],
  [['--threads', '-1'], '--threads: not a number'],
  [['--threads=5000'], '--threads: not between 0 and 1024'],
  [['--log-level', 'loud'], '--log-level: not one of debug|info|warn|error'],
  [['--data'], '--data: needs a value'],
  [['--nonsense', '1'], '--nonsense: unknown flag; see --help'],
  [['stray'], 'stray: unknown flag; see --help'],
  [['--check-config=1'], '--check-config: takes no value'],
  [['--config', '/nonexistent/file'], '/nonexistent/file: No such file or directory'],
];

const BAD_ENV = [
  ['ENCLAVED_LISTEN', 'x', 'not HOST:PORT'],
  ['ENCLAVED_PUSH_ALLOW_HTTP', '1', 'neither true nor false'],
  ['ENCLAVED_LIMITS_MAILBOX', '0', 'not between 1 and 1048576'],
  ['ENCLAVED_SERVICE', 'enc-node,,', 'empty'],
];

/* A bare root has no /etc/hosts, a container may have no IPv6. */
const canListen = (host) => {
  const server = net.createServer().listen(0, host);
  return once(server, 'listening').then(() => server.close(), () => false);
};

const oneLine = (text) => assert.match(text, /^enclaved: [^\n]+\n$/);

await runSuite(async ({ check, skip }) => {
  for (const [text, said] of BAD_FILES) {
    await check(`file ${JSON.stringify(text)}: status 2, ${said}`, () => {
      const file = fileOf(text);
      for (const args of [[], ['--check-config']]) {
        const { status, err } = enclaved(['--config', file, ...args]);
        assert.equal(status, 2);
        oneLine(err);
        assert.ok(err.includes(said.startsWith(':') ? file + said : said), err);
      }
    });
  }
  for (const [args, said] of BAD_ARGS) {
    await check(`${args.join(' ')}: status 2, ${said}`, () => {
      const { status, err } = enclaved(args);
      assert.equal(status, 2);
      oneLine(err);
      assert.ok(err.includes(said), err);
    });
  }
  for (const [name, value, said] of BAD_ENV) {
    await check(`${name}=${value}: status 2, ${said}`, () => {
      const { status, err } = enclaved(['--check-config'], { [name]: value });
      assert.equal(status, 2);
      oneLine(err);
      assert.ok(err.includes(name) && err.includes(said), err);
    });
  }
  await check('--version, --help and --check-config end with 0 and open nothing', () => {
    const data = path.join(newFolder(), 'never');
    for (const [args, wanted] of [[['--version'], /^enclaved \d+\.\d+\.\d+\n$/],
      [['--help'], /--listen HOST:PORT[\s\S]*limits\.body/], [['--check-config'], /good/]]) {
      const { status, out, err } = enclaved(['--data', data, ...args]);
      assert.equal(status, 0);
      assert.match(out, wanted);
      assert.equal(err, '');
    }
    assert.equal(enclaved(['--help', '--listen', 'x']).status, 0);
    assert.ok(!fs.existsSync(data));
  });
  await check('every key is in --help, and its environment name works', () => {
    const keys = enclaved(['--help']).out.split('\n')
      .map((line) => line.match(/^ {2}([a-z][a-z_.-]+) /)?.[1]).filter(Boolean);
    assert.ok(keys.length > 45, `${keys.length} keys`);
    for (const key of ['data', 'listen', 'push.allow_private', 'tls.listen', 'registry.owner',
      'registry.follow',
      'bootstrap.open', 'drain_timeout_ms', 'durability', 'limits.mailbox',
      'services.enc-node.hosts', 'services.chat.hosts']) {
      assert.ok(keys.includes(key), key);
    }
    const numbers = enclaved(['--help']).out.split('\n')
      .map((line) => line.match(/^ {2}([a-z_.]+) .*; \d+ to \d+/)?.[1]).filter(Boolean);
    for (const key of numbers) {
      const name = `ENCLAVED_${key.toUpperCase().replaceAll('.', '_')}`;
      const { status, err } = enclaved(['--check-config'], { [name]: 'x' });
      assert.equal(status, 2, key);
      assert.ok(err.includes(key), err);
    }
  });
  await check('precedence: flag, then environment, then file', async () => {
    const file = fileOf('log_level: nonsense');
    assert.equal(enclaved(['--config', file, '--check-config']).status, 2);
    const good = fileOf('log_level: error\nlimits:\n  mailbox: 7\n  subscriptions_per_socket: 5\n');
    const daemon = await Daemon.start({ args: ['--config', good, '--log-level', 'info'],
      env: { ENCLAVED_LOG_LEVEL: 'error', ENCLAVED_LIMITS_MAILBOX: '9' } });
    const info = (await daemon.client.get('/info/node')).json;
    assert.equal(info.limits.mailbox, 9, 'the environment goes before the file');
    assert.equal(info.limits.subscriptions, 5, 'the file goes before the default');
    assert.ok(daemon.lines.length > 0, 'the flag goes before the environment');
    assert.equal((await daemon.stop()).code, 0);
  });
  await check('first start: directory 0700, key 0600; later starts keep the key', async () => {
    const data = path.join(newFolder(), 'data');
    const daemon = await Daemon.start({ data });
    const mode = (name) => (fs.statSync(path.join(data, name)).mode & 0o777).toString(8);
    assert.deepEqual([mode('.'), mode('node.key')], ['700', '600']);
    const key = fs.readFileSync(path.join(data, 'node.key'), 'utf8');
    assert.match(key, /^[0-9a-f]{64}\n$/);
    const limits = fs.readFileSync(`/proc/${daemon.child.pid}/limits`, 'utf8');
    assert.match(limits, /Max core file size +0 +0 /, 'memory with the key is never dumped');
    const before = daemon.client.seqPub;
    await daemon.restart();
    assert.equal(daemon.client.seqPub, before);
    assert.equal(fs.readFileSync(path.join(data, 'node.key'), 'utf8'), key);
    await daemon.stop();
  });
  await check('a key file of others, malformed, or of another node is refused with 1', async () => {
    const daemon = await Daemon.start();
    await daemon.stop();
    const file = path.join(daemon.data, 'node.key');
    const args = ['--data', daemon.data, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const key = fs.readFileSync(file, 'utf8');
    const refuses = (said, more = []) => {
      const { status, err } = enclaved([...args, ...more]);
      assert.equal(status, 1, err);
      const lines = err.trim().split('\n').map((line) => JSON.parse(line));
      assert.equal(lines.length, 1);
      assert.match(lines[0].why, said);
      assert.ok(!err.includes(key.trim()), 'the key stays out of the log');
    };
    for (const bits of [0o640, 0o604, 0o660]) {
      fs.chmodSync(file, bits);
      refuses(/others can read it/);
    }
    fs.chmodSync(file, 0o600);
    for (const text of ['', 'zz'.repeat(32), key.slice(0, 62), `${key}x`, `${key}\n`]) {
      fs.writeFileSync(file, text);
      refuses(/not 64 hex digits/);
    }
    for (const text of ['00'.repeat(32), 'ff'.repeat(32)]) {
      fs.writeFileSync(file, text);
      refuses(/not a private key/);
    }
    fs.writeFileSync(file, '11'.repeat(32));
    refuses(/key/);
    fs.writeFileSync(file, key);
    refuses(/No such file|Is a directory|not a regular file/, ['--key-file', daemon.data]);
    const elsewhere = path.join(newFolder(), 'a.key');
    fs.writeFileSync(elsewhere, key, { mode: 0o600 });
    const moved = await Daemon.start({ data: daemon.data, args: ['--key-file', elsewhere] });
    assert.equal((await moved.stop()).code, 0);
  });
  await check('a second process on one directory is refused at once', async () => {
    const daemon = await Daemon.start();
    const begun = Date.now();
    const { status, err } = enclaved(['--data', daemon.data, '--listen', '127.0.0.1:0', '--admin',
      '127.0.0.1:0']);
    assert.equal(status, 1);
    assert.match(err, /in use by process \d+/);
    assert.ok(Date.now() - begun < 3000);
    assert.equal((await daemon.stop()).code, 0);
  });
  await check('a port in use is refused, with one loop and with several', async () => {
    const daemon = await Daemon.start({ args: ['--threads', '8'] });
    for (const threads of ['1', '8']) {
      const { status, err } = enclaved(['--data', newFolder(), '--threads', threads, '--listen',
        new URL(daemon.url).host, '--admin', '127.0.0.1:0']);
      assert.equal(status, 1);
      assert.match(err, /public: 127\.0\.0\.1:\d+: Address already in use/);
    }
    assert.equal((await daemon.stop()).code, 0);
  });
  await check('a certificate without its key, or no certificate at all, is refused with 1', () => {
    const one = newCertificate('one');
    const two = newCertificate('two');
    for (const [certificate, key] of [[one.certificate, two.key], ['/nonexistent', one.key]]) {
      const { status, err } = enclaved(['--data', newFolder(), '--listen', '127.0.0.1:0', '--admin',
        '127.0.0.1:0'], { ENCLAVED_TLS_LISTEN: '127.0.0.1:0', ENCLAVED_TLS_CERTIFICATE: certificate,
        ENCLAVED_TLS_KEY: key });
      assert.equal(status, 1);
      assert.match(err, /tls: /);
    }
  });
  await check('SIGHUP: what may change does so together, the rest is named, a mistake changes nothing', async () => {
    const file = fileOf('limits: {headers: 64, header: 16384}\nlisten: 127.0.0.1:1\n');
    const daemon = await Daemon.start({ args: ['--config', file, '--threads', '8'] });
    const few = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`x-${i}`, 'y']));
    const long = { 'x-long': 'y'.repeat(3000) };
    const statuses = async () => [await request('GET', daemon.url, '/info/node', undefined, few),
      await request('GET', daemon.url, '/info/node', undefined, long)].map(({ status }) => status);
    const reload = async (text, event) => {
      const from = daemon.lines.length;
      fs.writeFileSync(file, text);
      daemon.child.kill('SIGHUP');
      await until(() => daemon.lines.slice(from).some((line) => line.event === event), event);
      return daemon.lines.slice(from);
    };
    const socket = net.connect(new URL(daemon.url).port, '127.0.0.1');
    assert.deepEqual(await statuses(), [200, 200]);
    const named = await reload('limits: {headers: 10, header: 1024}\nshards: 3\nlisten: 127.0.0.1:2\n', 'reloaded');
    assert.deepEqual(named.filter((line) => line.event === 'waits_for_restart').map((line) => line.key), ['shards']);
    await until(async () => (await statuses()).every((status) => status === 431), 'the new limits, on every loop');
    const wrong = await reload('limits: {headers: 64, header: 16384, nonsense: 1}\nthreads: x\n', 'not_reloaded');
    assert.deepEqual(wrong.map((line) => line.why), [`${file}:1: limits.nonsense: unknown key`,
      `${file}:2: threads: not a number`]);
    assert.deepEqual(await statuses(), [431, 431], 'all of it was left');
    await reload('limits: {silence_ms: 200}\n', 'not_reloaded');
    await reload('{}', 'reloaded');
    await until(async () => (await statuses()).every((status) => status === 200), 'the defaults again');
    assert.ok(!socket.destroyed, 'no connection was cut');
    socket.end('GET /info/node HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const chunks = await socket.toArray();
    assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 200 /);
    fs.rmSync(file);
    const from = daemon.lines.length;
    daemon.child.kill('SIGHUP');
    await until(() => daemon.lines.slice(from).some((line) => /No such file/.test(line.why)), 'a file that is gone');
    assert.equal((await daemon.stop()).code, 0);
  });
  const wide = 'IPv6, names, and eight threads with two loops';
  if (!await canListen('::1') || !await canListen('localhost')) skip(wide, 'no ::1 or no localhost here');
  else await check(wide, async () => {
    const daemon = await Daemon.start({ args: ['--listen', '[::1]:0', '--admin', 'localhost:0',
      '--threads', '8'] });
    assert.match(daemon.url, /^http:\/\/\[::1\]:\d+$/);
    assert.equal((await daemon.client.get('/info/node')).status, 200);
    assert.equal((await daemon.stop()).code, 0);
  });
});
