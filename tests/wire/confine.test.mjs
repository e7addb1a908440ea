#!/usr/bin/env node
// What the node gives up once it serves: rights, system calls, files; and that it still does all of its work.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { newCertificate } from './lib/certificate.mjs';
import { runSuite } from './lib/check.mjs';
import { Client } from './lib/client.mjs';
import { Enclave } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon, PROGRAM, newFolder } from './lib/process.mjs';
import { Receiver } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

const USER = 'nobody';
const PUSHES = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true' };
const IS_CONFINABLE = !/__(asan|tsan)_init/.test(fs.readFileSync(PROGRAM, 'latin1'));

/** A field of status, of every thread of a process. */
const ofThreads = (pid, field) => fs.readdirSync(`/proc/${pid}/task`).map((thread) =>
  fs.readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8').match(new RegExp(`^${field}:\\s*(.*)$`, 'm'))[1]);

const distinct = (values) => [...new Set(values)];
const said = (daemon, msg) => daemon.lines.filter((line) => line.msg === msg);
const notConfined = (daemon) => said(daemon, 'less confined than the configuration wants');

const usherOf = (pid) => execFileSync('ps', ['--ppid', String(pid), '-o', 'pid=,comm='], { encoding: 'utf8' })
  .trim().split('\n').map((line) => line.trim().split(/\s+/));

/** Commits, a push to a receiver found by its name, many threads' worth of reads. */
async function work(client, receiver) {
  const enclave = await Enclave.create(client);
  const hook = `/hook/${enclave.id}`;
  await enclave.add(enclave.owner, 'Grant_Push',
    { identity: newKey().pub, role: 'Sink', endpoint: receiver.url(hook, 'localhost') });
  for (let i = 0; i < 10; i++) await enclave.post(enclave.owner, 'x'.repeat(20_000));
  await receiver.first(1, hook, 10_000);
  return enclave;
}

async function handOver(daemon) {
  const listening = said(daemon, 'listening').length;
  daemon.child.kill('SIGUSR2');
  const [{ pid }] = await until(() => said(daemon, 'successor started').length && said(daemon, 'successor started'), 'a successor');
  await daemon.exited;
  await until(() => said(daemon, 'listening').length >= listening + 2, 'it listens', 15_000);
  return pid;
}

async function end(pid) {
  process.kill(pid, 'SIGTERM');
  await until(() => {
    try {
      return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
    } catch {
      return true;
    }
  }, 'its end', 15_000);
}

await runSuite(async ({ check, skip }) => {
  const receiver = await Receiver.start();
  const pair = newCertificate();
  const file = path.join(newFolder(), 'enclaved.yaml');
  const config = (certificate) => fs.writeFileSync(file,
    `tls:\n  listen: 127.0.0.1:0\n  certificate: ${certificate.certificate}\n  key: ${certificate.key}\n`);
  config(pair);
  const daemon = await Daemon.start({ args: ['--config', file], env: PUSHES });
  const { pid } = daemon.child;

  if (!IS_CONFINABLE) skip('calls and files', 'a build with a sanitizer is not confined');
  else {
    await check('every thread is behind the filter and can gain no rights', () => {
      assert.deepEqual(distinct(ofThreads(pid, 'Seccomp')), ['2']);
      assert.deepEqual(distinct(ofThreads(pid, 'NoNewPrivs')), ['1']);
      assert.ok(ofThreads(pid, 'Seccomp').length > 4);
    });
    await check('all calls may be left to it, or logged', async () => {
      for (const [way, mode] of [['off', '0'], ['log', '2'], ['kill', '2']]) {
        const other = await Daemon.start({ env: { ...PUSHES, ENCLAVED_SECURITY_SECCOMP: way, ENCLAVED_SECURITY_LANDLOCK: 'off' } });
        assert.deepEqual(distinct(ofThreads(other.child.pid, 'Seccomp')), [mode], way);
        await work(other.client, receiver);
        assert.equal((await other.stop()).code, 0, way);
      }
    });
  }
  await check('it works, pushes by name, reloads, and makes threads', async () => {
    await work(daemon.client, receiver);
    daemon.child.kill('SIGHUP');
    await until(() => said(daemon, 'configuration reloaded').length === 1, 'the reload');
    await work(daemon.client, receiver);
  });
  const landlocked = IS_CONFINABLE && notConfined(daemon).length === 0;
  if (!landlocked) skip('files beyond the configured folders', 'no Landlock here, or a sanitizer');
  else {
    await check('a renewed certificate in its folder is taken, one from elsewhere is out of reach', async () => {
      newCertificate('renewed', pair.folder);
      daemon.child.kill('SIGHUP');
      await until(() => said(daemon, 'configuration reloaded').length === 2, 'the reload');
      config(newCertificate('elsewhere'));
      daemon.child.kill('SIGHUP');
      await until(() => said(daemon, 'configuration not reloaded').length === 1, 'the refusal');
      config(pair);
      daemon.child.kill('SIGHUP');
      await until(() => said(daemon, 'configuration reloaded').length === 3, 'the way back');
    });
  }
  await check('the usher is there, small, holds no descriptor but its own, and ends with the node', async () => {
    const ushers = usherOf(pid);
    assert.equal(ushers.length, 1);
    const [[usher, name]] = ushers;
    assert.equal(name, 'enclaved-usher');
    assert.deepEqual(fs.readdirSync(`/proc/${usher}/fd`).sort(), ['0', '1', '2', '3']);
    await daemon.kill();
    await until(() => !fs.existsSync(`/proc/${usher}/fd`) || fs.readFileSync(`/proc/${usher}/stat`, 'utf8').includes(') Z '),
      'its end');
  });

  await check('a user that is not there, is root, or cannot be become ends the start', () => {
    const start = (user, options = {}) => spawnSync(PROGRAM, ['--data', path.join(newFolder(), 'd'), '--listen', '127.0.0.1:0',
      '--admin', '127.0.0.1:0'], { env: { ...process.env, ENCLAVED_SECURITY_USER: user }, timeout: 10_000, ...options });
    for (const user of ['no-such-user', 'root']) {
      const { status, stderr } = start(user);
      assert.equal(status, 1, user);
      assert.match(String(stderr), /rights not given up/);
    }
  });
  if (process.getuid() !== 0) return skip('rights of root', 'not root');
  const [uid, gid] = ['-u', '-g'].map((flag) => execFileSync('id', [flag, USER], { encoding: 'utf8' }).trim());
  const folder = newFolder();
  fs.chownSync(folder, Number(uid), Number(gid));
  fs.chmodSync(folder, 0o700);
  const dropped = new Daemon({ data: path.join(folder, 'data'), env: { ...PUSHES, ENCLAVED_SECURITY_USER: USER } });
  await dropped.start();
  const assertDropped = (of) => {
    assert.deepEqual(distinct(ofThreads(of, 'Uid')), [`${uid}\t${uid}\t${uid}\t${uid}`]);
    assert.deepEqual(distinct(ofThreads(of, 'Gid')), [`${gid}\t${gid}\t${gid}\t${gid}`]);
    assert.deepEqual(distinct(ofThreads(of, 'Groups').flatMap((text) => text.trim().split(' '))), [gid]);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      assert.deepEqual(distinct(ofThreads(of, set)), ['0'.repeat(16)], set);
    }
  };
  await check('started by root it goes on as its user, without any capability, and its files are that user\'s', async () => {
    assertDropped(dropped.child.pid);
    await work(dropped.client, receiver);
    for (const name of ['', ...fs.readdirSync(dropped.data)]) {
      assert.equal(fs.statSync(path.join(dropped.data, name)).uid, Number(uid), name);
    }
  });
  await check('a port that only root may take is its port nevertheless, also of its successor', async () => {
    const port = 1; /* tcpmux: nobody has it */
    const low = new Daemon({ data: path.join(folder, 'low'), args: ['--listen', `127.0.0.1:${port}`],
      env: { ...PUSHES, ENCLAVED_SECURITY_USER: USER } });
    await low.start();
    assertDropped(low.child.pid);
    const successor = await handOver(low);
    assertDropped(successor);
    await work(await Client.of(`http://127.0.0.1:${port}`), receiver);
    await end(successor);
    assert.equal(said(low, 'stopped').length, 2);
  }, 40_000);
  await check('it ends as it began', async () => assert.equal((await dropped.stop()).code, 0));
  await receiver.stop();
});
