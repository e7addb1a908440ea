#!/usr/bin/env node
// The probes are in the program, and deploy/trace/stages.bt shows the stages of single commits.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runSuite } from './lib/check.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { Daemon, PROGRAM } from './lib/process.mjs';
import { until } from './lib/wait.mjs';

const SCRIPT = fileURLToPath(new URL('../../deploy/trace/stages.bt', import.meta.url));
const STAGES = ['dispatch', 'prepare', 'queue', 'judge', 'build', 'seal', 'writer', 'write', 'sync'];
const START_MS = 20_000;

/** Whether this machine lets us trace at all. */
function canTrace() {
  try {
    execFileSync('bpftrace', ['-e', 'BEGIN { exit(); }'], { stdio: 'ignore', timeout: START_MS });
    return true;
  } catch {
    return false;
  }
}

await runSuite(async ({ check, skip }) => {
  await check('both probes, with four arguments each', () => {
    const notes = execFileSync('readelf', ['-n', PROGRAM], { encoding: 'utf8' });
    for (const name of ['stage', 'answered']) {
      const found = notes.match(new RegExp(`Provider: enclaved\\n +Name: ${name}\\n.*\\n +Arguments: (.*)`));
      assert.ok(found, name);
      assert.equal(found[1].trim().split(/ (?=-?[1-8]@)/).length, 4, found[1]);
    }
  });
  if (!canTrace()) {
    skip('the stages of commits', 'bpftrace cannot trace here');
    return;
  }
  await check('a line per commit, its stages within its whole', async () => {
    const daemon = await Daemon.start();
    const tracer = spawn('bpftrace', ['-p', String(daemon.child.pid), SCRIPT, '0']);
    const gone = new Promise((resolve) => tracer.on('exit', resolve));
    let text = '';
    tracer.stdout.on('data', (chunk) => (text += chunk));
    try {
      await until(() => /total us/.test(text), 'the probes to be attached', START_MS);
      const enclave = await Enclave.create(daemon.client, wall);
      for (let i = 0; i < 3; i++) await enclave.post(enclave.owner);
      assert.equal((await enclave.tryAdd(enclave.owner, 'Nothing', 'x')).json.step, 7);
    } finally {
      tracer.kill('SIGINT');
      await gone;
    }
    const rows = [...text.matchAll(/^(?:\d+ +){11}\d+ *$/gm)].map(([line]) => line.trim().split(/ +/).map(Number));
    assert.equal(rows.length, 5, text);
    for (const [whole, err, step, ...stages] of rows.slice(0, 4)) {
      assert.deepEqual([err, step], [0, 0]);
      const sum = stages.reduce((all, one) => all + one, 0);
      assert.ok(sum > 0 && sum <= whole + STAGES.length, `${sum} of ${whole}`);
      assert.ok(stages[STAGES.indexOf('prepare')] > 0 && stages[STAGES.indexOf('sync')] > 0, text);
    }
    const [, err, step, ...stages] = rows[4];
    assert.ok(err > 0 && step === 7);
    assert.deepEqual(stages.slice(4), [0, 0, 0, 0, 0], 'a refusal has nothing built or written');
    assert.equal((await daemon.stop()).code, 0);
  }, 60_000);
});
