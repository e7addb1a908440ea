#!/usr/bin/env node
// Rate limits: per address before any work, per public key once it is known, per enclave at its mailbox.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { runSuite } from './lib/check.mjs';
import { assertError, assertErrorBody, assertOk } from './lib/errors.mjs';
import { Enclave, forum, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { Socket } from './lib/socket.mjs';

const run = promisify(execFile);

const metric = async (daemon, reason) => {
  const { text } = await request('GET', daemon.admin, '/metrics');
  return Number(text.match(new RegExp(`enclaved_refusals_total\\{reason="${reason}"\\} (\\d+)`))[1]);
};

/** { policy: { q, w }, left: { r, t } } of the fields' item with this name. */
function fields(headers, name) {
  const item = (text) => text.split(', ').find((part) => part.startsWith(`"${name}";`));
  const parameters = (text) =>
    Object.fromEntries([...item(text).matchAll(/;(\w)=(\d+)/g)].map(([, key, n]) => [key, Number(n)]));
  return { policy: parameters(headers['ratelimit-policy']), left: parameters(headers.ratelimit) };
}

await runSuite(async ({ check }) => {
  await check('unlimited by default: no field, no refusal', async () => {
    const daemon = await Daemon.start();
    const answers = await Promise.all(Array.from({ length: 300 }, () => daemon.client.get('/info/node')));
    answers.forEach(assertOk);
    assert.equal(answers[0].headers.ratelimit, undefined);
    await daemon.stop();
  });

  const of = (limits) => Daemon.start({ env: Object.fromEntries(
    Object.entries(limits).map(([key, value]) => [`ENCLAVED_LIMITS_RATE_${key}`, String(value)])) });

  await check('an address: a burst, 429 with Retry-After and fields, then in again', async () => {
    const daemon = await of({ ADDRESS: 5, ADDRESS_BURST: 20 });
    const answers = [];
    for (let i = 0; i < 40; i++) answers.push(await daemon.client.get('/info/node'));
    const refused = answers.filter((answer) => answer.status === 429);
    assert.ok(refused.length >= 15 && refused.length <= 21, String(refused.length));
    const { json, headers } = refused[0];
    assertErrorBody(json, 'RATE_LIMITED');
    assert.equal(json.retry_after, 1);
    assert.equal(headers['retry-after'], '1');
    assert.equal(headers['access-control-allow-origin'], '*');
    const { policy, left } = fields(headers, 'address');
    assert.deepEqual([policy.q, policy.w, left.r, left.t], [20, 4, 0, 1]);
    assert.equal(fields(answers[0].headers, 'address').left.r, 18, 'the start took one');
    assert.equal(await metric(daemon, 'rate_of_address'), refused.length);
    await sleep(1000);
    assertOk(await daemon.client.get('/info/node'));
    await daemon.stop();
  });
  await check('an address over HTTP/2, by curl and nghttp', async () => {
    const daemon = await of({ ADDRESS: 1, ADDRESS_BURST: 3 });
    const codes = [];
    for (let i = 0; i < 5; i++) {
      const { stdout } = await run('curl', ['-s', '--http2-prior-knowledge', '-o', '/dev/null', '-w',
        '%{http_version} %{http_code}', `${daemon.url}/info/node`]);
      codes.push(stdout);
    }
    assert.deepEqual(codes, ['2 200', '2 200', '2 429', '2 429', '2 429']);
    const { stdout: text } = await run('nghttp', ['-v', `${daemon.url}/info/node`]).catch((e) => e);
    assert.match(text, /:status: 429/);
    assert.match(text, /ratelimit: "address";r=0;t=1/);
    await daemon.stop();
  });
  await check('an address on a WebSocket: Error frames that name their cause', async () => {
    const daemon = await of({ ADDRESS: 1, ADDRESS_BURST: 40 });
    const enclave = await Enclave.create(daemon.client, wall);
    const socket = await Socket.open(daemon.client);
    const commits = Array.from({ length: 60 }, () => enclave.make(enclave.owner, 'Post', 'x'));
    commits.forEach((commit) => socket.commit(commit));
    const answers = new Map();
    while (answers.size < 60) {
      const frame = await socket.next();
      answers.set(frame.hash, frame);
    }
    const errors = [...answers.values()].filter((frame) => frame.type === 'Error');
    assert.ok(errors.length >= 20 && errors.length < 30, String(errors.length));
    errors.forEach((frame) => assertErrorBody(frame, 'RATE_LIMITED'));
    assert.equal(errors[0].retry_after, 1);
    commits.forEach((commit) => assert.ok(answers.has(commit.hash)));
    const late = socket.query('late', enclave.id, {});
    const frame = await late.next();
    assertErrorBody(frame, 'RATE_LIMITED');
    await socket.close();
    await daemon.stop();
  });
  await check('a key: its own commits count, forged ones do not', async () => {
    const daemon = await of({ KEY: 1, KEY_BURST: 4 });
    const enclave = await Enclave.create(daemon.client, wall);
    const writer = newKey();
    for (let i = 0; i < 10; i++) {
      const commit = enclave.make(writer, 'Post', `forged ${i}`);
      const sig = commit.sig.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
      assertError(await daemon.client.commit({ ...commit, sig }), 'INVALID_SIGNATURE');
    }
    for (let i = 0; i < 4; i++) await enclave.post(writer);
    const refused = await enclave.tryAdd(writer, 'Post', 'one more');
    assertError(refused, 'RATE_LIMITED');
    assert.equal(refused.headers['retry-after'], '1');
    const { policy, left } = fields(refused.headers, 'key');
    assert.deepEqual([policy.q, policy.w, left.r], [4, 4, 0]);
    assertOk(await enclave.tryAdd(newKey(), 'Post', 'another key'));
    assert.equal(await metric(daemon, 'rate_of_key'), 1);
    await sleep(1100);
    await enclave.post(writer);
    await daemon.stop();
  });
  await check('a key: sessions count by it, over HTTP and WebSocket', async () => {
    const daemon = await of({ KEY: 1, KEY_BURST: 4 });
    const enclave = await Enclave.create(daemon.client, forum);
    const reader = newKey();
    for (let i = 0; i < 3; i++) assertOk(await daemon.client.query(enclave.id, {}, { as: reader }));
    const socket = await Socket.open(daemon.client);
    await socket.query('a', enclave.id, {}, { as: reader }).stored();
    const frame = await socket.query('b', enclave.id, {}, { as: reader }).next();
    assertErrorBody(frame, 'RATE_LIMITED');
    assert.equal(frame.sub_id, 'b');
    assertError(await daemon.client.query(enclave.id, {}, { as: reader }), 'RATE_LIMITED');
    assertOk(await daemon.client.query(enclave.id, {}));
    await socket.close();
    await daemon.stop();
  });
  await check('an enclave: refused at its mailbox, another is not', async () => {
    const daemon = await of({ ENCLAVE: 1, ENCLAVE_BURST: 5 });
    const [busy, calm] = [await Enclave.create(daemon.client, wall), await Enclave.create(daemon.client, wall)];
    for (let i = 0; i < 4; i++) await busy.post(newKey());
    const refused = await busy.tryAdd(newKey(), 'Post', 'x');
    assertError(refused, 'RATE_LIMITED');
    assert.equal(fields(refused.headers, 'enclave').policy.q, 5);
    await calm.post(newKey());
    assertOk(await daemon.client.query(busy.id, {}));
    assert.equal(await metric(daemon, 'rate_of_enclave'), 1);
    await daemon.stop();
  });
});
