#!/usr/bin/env node
// A disk that takes no more: commits are refused whole, reads go on, and later so do commits.
// The limit on file sizes stands in for a full disk; it is raised again while the node runs.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { runSuite } from './lib/check.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { Daemon } from './lib/process.mjs';
import { Socket } from './lib/socket.mjs';
import { mapWide, sleep, until } from './lib/wait.mjs';
import { auditNode } from '../replay/audit.mjs';

const ROOM = 300_000; /* besides the room of a MiB or two that the store keeps in its file */
const COMMITS_MAX = 400;
const TEXT = 'x'.repeat(20_000);

/** Size of the largest file below folder. */
function largest(folder) {
  const names = fs.readdirSync(folder, { recursive: true, withFileTypes: false });
  return Math.max(...names.map((name) => fs.statSync(path.join(folder, name)).size));
}

function limitFiles(daemon, size) {
  execFileSync('prlimit', [`--pid=${daemon.child.pid}`, `--fsize=${size}:unlimited`]);
}

const ready = (daemon) => request('GET', daemon.admin, '/readyz');

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { client } = daemon;
  const enclave = await Enclave.create(client, wall);
  const other = await Enclave.create(client, wall);
  const socket = await Socket.open(client);
  const sub = socket.query('s', enclave.id, {});
  await sub.stored();
  const accepted = [enclave.receipt];
  let refused = null;

  await check('server.md before: ready', async () => {
    await enclave.post(enclave.owner);
    accepted.push(await enclave.post(enclave.owner));
    assert.equal((await ready(daemon)).status, 200);
  });
  await check('server.md a commit that cannot be written is INTERNAL_ERROR', async () => {
    limitFiles(daemon, largest(daemon.data) + ROOM);
    for (let i = 0; i < COMMITS_MAX && !refused; i++) {
      const commit = enclave.make(enclave.owner, 'Post', `${i} ${TEXT}`);
      const answer = await client.commit(commit);
      if (answer.status === 200) accepted.push(answer.json);
      else refused = { commit, answer };
    }
    assertError(refused.answer, 'INTERNAL_ERROR');
  }, 40_000);
  await check('memory is as the disk is: nothing of the refused commit is left', async () => {
    const last = accepted.at(-1);
    assert.equal((await client.info(enclave.id)).seq, last.seq);
    await auditNode(client, enclave.id, enclave.owner, 20);
    const { content } = await client.query(enclave.id, { seq: { start_after: last.seq } });
    assert.deepEqual(content.events, []);
  });
  await check('no subscriber hears of what is not durable', async () => {
    await sleep(200);
    assert.equal(sub.frames.at(-1).event.seq, accepted.at(-1).seq);
  });
  await check('further commits are refused or whole, reads and other enclaves work', async () => {
    const commits = Array.from({ length: 20 }, (_, i) =>
      other.make(other.owner, 'Post', `${i} ${TEXT}`));
    const answers = await mapWide(commits, 8, (commit) => client.commit(commit));
    const good = answers.filter((answer) => answer.status === 200);
    answers.filter((answer) => answer.status !== 200).forEach((answer) =>
      assertError(answer, 'INTERNAL_ERROR'));
    assert.equal((await client.info(other.id)).seq, good.length);
    assertOk(await client.query(enclave.id, {}));
    await auditNode(client, other.id, other.owner, 20);
  });
  await check('/readyz says why', async () => {
    await until(async () => (await ready(daemon)).status === 503, 'a refusal');
    assert.deepEqual((await ready(daemon)).json.reasons, ['writes_fail']);
    assert.ok(daemon.lines.some((line) => /writes fail/.test(line.msg) && line.why), 'the log too');
  });
  await check('with room again the same commit is accepted, and the node is ready', async () => {
    limitFiles(daemon, 'unlimited');
    const receipt = await until(async () => {
      const answer = await client.commit(refused.commit);
      return answer.status === 200 && answer.json;
    }, 'the commit to be accepted');
    assert.equal(receipt.seq, accepted.at(-1).seq + 1);
    await until(async () => (await ready(daemon)).status === 200, 'readiness');
    await until(() => sub.frames.at(-1)?.event.seq === receipt.seq, 'the event');
    await auditNode(client, enclave.id, enclave.owner, 20);
  });
  await check('after a restart it is all there', async () => {
    const again = await daemon.restart();
    for (const receipt of accepted) {
      const { content } = await again.query(enclave.id, { id: receipt.id });
      assert.equal(content.events[0].event.seq_sig, receipt.seq_sig);
    }
    await auditNode(again, other.id, other.owner, 20);
  });
  assert.equal((await daemon.stop()).code, 0);
});
