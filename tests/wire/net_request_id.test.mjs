#!/usr/bin/env node
// One id ties a request's answer, its line in the log, its error and the pushes it causes together; and no line says more
// than it may.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { newCertificate } from './lib/certificate.mjs';
import { runSuite } from './lib/check.mjs';
import { sessionOf } from './lib/client.mjs';
import { assertOk } from './lib/errors.mjs';
import { Enclave, forum } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon, newFolder } from './lib/process.mjs';
import { Receiver } from './lib/receiver.mjs';
import { Socket } from './lib/socket.mjs';
import { until } from './lib/wait.mjs';

const MADE = /^[0-9a-f]{32}$/;
const ALL = { ENCLAVED_LOG_ACCESS_SAMPLE: '1' };

const SAFE = ['a', '0', 'Z9_.-', 'req-2026.11.22_x', 'x'.repeat(64), '-', '...'];
const UNSAFE = ['', 'x'.repeat(65), 'a b', 'a"b', 'a,b', 'ä', 'a/b', '<a>', 'a\\b', 'a\tb', 'x'.repeat(4000), '{}', '%0a'];

/** curl: { head, body } of the last answer. */
function curl(...args) {
  const { stdout, status } = spawnSync('curl', ['-s', '-k', '-i', '--max-time', '10', ...args], { encoding: 'latin1' });
  assert.equal(status, 0, args.join(' '));
  const at = stdout.indexOf('\r\n\r\n');
  return { head: stdout.slice(0, at).toLowerCase(), body: stdout.slice(at + 4) };
}

const idIn = ({ head }) => head.match(/^x-request-id: (.*)$/m)?.[1].trim();

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start({ env: ALL });
  const { client } = daemon;
  const ask = (headers, where = '/info/node', method = 'GET', body = undefined) =>
    request(method, daemon.url, where, body, headers);
  const linesOf = (id) => daemon.lines.filter((line) => line.request_id === id);
  const lineOf = (id) => until(() => linesOf(id)[0], `a line of ${id}`);

  await check('a safe id comes back as it is, any other is replaced', async () => {
    for (const id of SAFE) assert.equal((await ask({ 'x-request-id': id })).headers['x-request-id'], id);
    for (const id of UNSAFE) {
      const raw = Buffer.from(id, 'utf8').toString('latin1');
      assert.match((await ask({ 'x-request-id': raw })).headers['x-request-id'], MADE, JSON.stringify(id));
    }
  });
  await check('made ids are not repeated', async () => {
    const ids = await Promise.all(Array.from({ length: 300 }, async () => (await ask({})).headers['x-request-id']));
    ids.forEach((id) => assert.match(id, MADE));
    assert.equal(new Set(ids).size, ids.length);
  });
  await check('every answer has one id: errors, OPTIONS, HEAD, admin, what h2o itself answers', async () => {
    const cases = [['GET', '/nowhere', 404], ['DELETE', '/info/node', 405], ['POST', '/', 400, '{'],
      ['OPTIONS', '/', 204], ['HEAD', '/info/node', 200], ['POST', '/', 413, ' '.repeat(1_100_000)]];
    for (const [method, where, status, body] of cases) {
      const answer = await ask({ 'x-request-id': 'mine' }, where, method, body);
      assert.equal(answer.status, status, where);
      assert.equal(answer.headers['x-request-id'], 'mine', `${method} ${where}`);
      if (status >= 400) assert.equal(answer.json.request_id, 'mine', `${method} ${where}`);
    }
    for (const page of ['/healthz', '/readyz', '/metrics', '/none']) {
      const { headers } = await request('GET', daemon.admin, page, undefined, { 'x-request-id': 'adm' });
      assert.equal(headers['x-request-id'], 'adm');
    }
    const chunked = await ask({ 'x-request-id': 'big', 'transfer-encoding': 'chunked' }, '/', 'POST', ' '.repeat(1_100_000));
    assert.equal(chunked.status, 413);
    assert.equal(chunked.json.request_id, 'big');
  });
  await check('errors name the id beside what protocol.md 8.7 says, made or given', async () => {
    const { json, headers } = await ask({}, '/enclave/zz');
    assert.match(json.request_id, MADE);
    assert.equal(json.request_id, headers['x-request-id']);
    assert.equal(json.error, json.code.toLowerCase());
  });
  await check('HTTP/2 and TLS do the same, and so does the answer that opens a WebSocket', async () => {
    const { certificate, key } = newCertificate('one');
    const other = await Daemon.start({ env: { ...ALL, ENCLAVED_TLS_LISTEN: '127.0.0.1:0',
      ENCLAVED_TLS_CERTIFICATE: certificate, ENCLAVED_TLS_KEY: key } });
    const tls = other.lines.find((line) => line.listener === 'tls').address;
    for (const args of [['--http2-prior-knowledge', `${other.url}/info/node`], ['--http2', `https://${tls}/info/node`],
      ['--http1.1', `https://${tls}/info/node`], ['--http2-prior-knowledge', `${other.url}/nowhere`]]) {
      assert.equal(idIn(curl('-H', 'X-Request-Id: two', ...args)), 'two');
      assert.match(idIn(curl(...args)), MADE);
    }
    const socket = curl('--http1.1', '-H', 'X-Request-Id: ws', '-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket',
      '-H', 'Sec-WebSocket-Version: 12', '-H', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', `${other.url}/`);
    assert.match(socket.head, /^http\/1.1 426/);
    assert.equal(idIn(socket), 'ws');
    await other.stop();
  });
  await check('the line of a request: who, what, how long, and the same id', async () => {
    await ask({ 'x-request-id': 'line-1' }, '/chat/info/node');
    const line = await lineOf('line-1');
    const { time, duration_us: took, bytes, ...rest } = line;
    assert.deepEqual(rest, { level: 'info', room: 'net', event: 'request', msg: 'request', request_id: 'line-1',
      method: 'GET', service: 'chat', route: '/info/node', status: 200, protocol: 'http/1.1' });
    assert.ok(took > 0 && took < 5_000_000 && bytes > 100 && Date.parse(time) > 0);
    await ask({ 'x-request-id': 'line-2' }, '/enclave/zz');
    assert.equal((await lineOf('line-2')).code, 'INVALID_ROUTE');
    await ask({ 'x-request-id': 'line-4' }, `/registry/enclaves/${'ab'.repeat(32)}`);
    assert.equal((await lineOf('line-4')).route, '/enclaves/:id', 'what varies is not told');
    await ask({ 'x-request-id': 'line-3' }, '/', 'BREW');
    assert.equal((await lineOf('line-3')).method, 'other', "the client's own words are not told");
  });
  await check('5xx is told whatever the sample is; nothing else is when it is 0', async () => {
    const quiet = await Daemon.start();
    const before = quiet.lines.length;
    await quiet.client.get('/nowhere');
    const pull = { type: 'Pull', content: {} };
    const answer = await request('POST', quiet.url, '/registry', JSON.stringify(pull), { 'x-request-id': 'pull' });
    assert.equal(answer.status, 501, answer.text);
    const line = await until(() => quiet.lines.slice(before)[0], 'a line');
    assert.deepEqual([line.event, line.level, line.status, line.request_id, line.code],
      ['request_failed', 'error', answer.status, 'pull', answer.json.code]);
    assert.equal(quiet.lines.length, before + 1);
    await quiet.stop();
  });
  await check('addresses only when asked for, and SIGHUP asks', async () => {
    assert.ok(!daemon.lines.some((line) => line.event === 'request' && 'address' in line));
    const file = path.join(newFolder(), 'enclaved.yaml');
    fs.writeFileSync(file, 'log: {access_sample: 0}\n');
    const other = await Daemon.start({ args: ['--config', file] });
    const before = other.lines.length;
    await other.client.get('/info/node');
    fs.writeFileSync(file, 'log: {access_sample: 1, addresses: true}\n');
    other.child.kill('SIGHUP');
    await until(() => other.lines.length > before, 'reloaded');
    assert.equal(other.lines.at(-1).event, 'reloaded', 'no line for the request before');
    await other.client.get('/info/node');
    const line = await until(() => other.lines.find((got) => got.event === 'request'), 'a line');
    assert.match(line.address, /^127\.0\.0\.1:\d+$/);
    await other.stop();
  });
  await check('a push carries the id of the request whose event it brings', async () => {
    const receiver = await Receiver.start();
    const pusher = await Daemon.start({ env: { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true' } });
    const enclave = await Enclave.create(pusher.client, forum);
    await enclave.add(enclave.owner, 'Grant_Push', { identity: newKey().pub, role: 'Sink',
      endpoint: receiver.url('/hook') });
    await until(() => receiver.requests.length >= 1, 'the first push');
    const first = receiver.requests.length;
    receiver.statuses.push(500);
    assertOk(await request('POST', pusher.url, '/', JSON.stringify(enclave.make(enclave.owner, 'Post', 'x')),
      { 'x-request-id': 'commit-7' }));
    await until(() => receiver.requests.length >= first + 2, 'the push and its second attempt');
    const ids = receiver.requests.map(({ headers }) => headers['x-request-id']);
    assert.deepEqual(ids.slice(first, first + 2), ['commit-7', 'commit-7']);
    ids.slice(0, first).forEach((id) => assert.match(id, MADE));
    await pusher.restart();
    await pusher.stop();
    receiver.server.close();
  });
  await check('no line of a busy node holds a session, a key, a signature, a query or a content', async () => {
    const noisy = await Daemon.start({ env: { ...ALL, ENCLAVED_LOG_ADDRESSES: 'true', ENCLAVED_LOG_LEVEL: 'debug' } });
    const enclave = await Enclave.create(noisy.client, forum);
    const secret = 'the-content-that-nobody-may-read';
    const member = await enclave.newHolder('Member');
    await enclave.post(enclave.owner, secret);
    await noisy.client.query(enclave.id, { type: 'Post' }, { as: member });
    await noisy.client.query(enclave.id, { type: secret }, { as: member });
    await noisy.client.commitSealed(enclave.make(enclave.owner, 'Post', `${secret}-2`), member);
    await enclave.tryAdd(newKey(), 'Post', secret);
    await noisy.client.get(`/enclave/${enclave.id}/sth?token=${secret}`);
    await noisy.client.post('/', `{"broken":"${secret}`);
    const socket = await Socket.open(noisy.client);
    await socket.close();
    await noisy.stop();
    const all = JSON.stringify(noisy.lines);
    assert.ok(noisy.lines.filter((line) => line.event.startsWith('request')).length >= 9);
    const key = fs.readFileSync(path.join(noisy.data, 'node.key'), 'utf8').trim();
    for (const hidden of [secret, key, enclave.id, enclave.owner.pub, member.pub, sessionOf(member).token, 'sth?', noisy.data]) {
      assert.ok(hidden && !all.includes(hidden), hidden);
    }
  });
  await daemon.stop();
});
