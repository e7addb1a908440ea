#!/usr/bin/env node
// HTTP/1.1 and HTTP/2 at the edge: framing of requests, shape of answers, sizes, several requests on one connection.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import http2 from 'node:http2';
import { promisify } from 'node:util';
import { runSuite } from './lib/check.mjs';
import { assertError } from './lib/errors.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { Daemon } from './lib/process.mjs';
import { END_HEADERS, H2, Raw, frame, framesOf, headers, openH2, requestBlock, sendRaw }
  from './lib/raw.mjs';
import { until } from './lib/wait.mjs';

const run = promisify(execFile);
const BODY_MAX = 1 << 20;

/** An answer over HTTP/2 by node's client. */
function requestH2(session, fields, body) {
  return new Promise((resolve, reject) => {
    const stream = session.request(fields);
    let text = '';
    let head;
    stream.setEncoding('utf8');
    stream.on('response', (got) => (head = got));
    stream.on('data', (chunk) => (text += chunk));
    stream.on('error', reject);
    stream.on('end', () => resolve({ status: head?.[':status'], headers: head, text }));
    stream.end(body);
  });
}

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { url, admin } = daemon;
  const enclave = await Enclave.create(daemon.client, wall);
  const query = JSON.stringify({ type: 'Query', enclave: enclave.id, content: {} });
  const post = (body, more = '') => `POST / HTTP/1.1\r\nHost: t\r\n${more}`
    + `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const session = http2.connect(url);
  session.on('error', () => {});

  await check('curl over HTTP/1.1: status, type, length, CORS, cache', async () => {
    const { stdout } = await run('curl', ['-si', '--http1.1', `${url}/info/node`]);
    assert.match(stdout, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(stdout, /content-type: application\/json\r\n/i);
    assert.match(stdout, /access-control-allow-origin: \*\r\n/i);
    assert.match(stdout, /cache-control: no-store\r\n/i);
    const [head, body] = stdout.split('\r\n\r\n');
    assert.equal(Number(head.match(/content-length: (\d+)/i)[1]), Buffer.byteLength(body));
  });
  await check('curl over HTTP/2: prior knowledge and Upgrade', async () => {
    for (const flag of ['--http2-prior-knowledge', '--http2']) {
      const { stdout } = await run('curl', ['-si', flag, `${url}/info/node`]);
      assert.match(stdout, /HTTP\/2 200/, flag);
      assert.ok(JSON.parse(stdout.slice(stdout.lastIndexOf('\r\n\r\n'))).seq_pub, flag);
    }
  });
  await check('nghttp: many requests on one connection', async () => {
    const { stdout } = await run('nghttp', ['-nv', '-m', '20', '--no-dep', `${url}/info/node`]);
    assert.equal([...stdout.matchAll(/:status: 200/g)].length, 20);
  });
  await check('h2load: 2,000 requests on 4 connections, none lost', async () => {
    const { stdout } = await run('h2load', ['-n', '2000', '-c', '4', '-m', '20', `${url}/info/node`]);
    assert.match(stdout, /2000 succeeded, 0 failed, 0 errored/);
  });
  await check('HEAD has the head of GET and no body', async () => {
    const get = await request('GET', url, '/info/node');
    const head = await request('HEAD', url, '/info/node');
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal(head.headers['content-length'].length, get.headers['content-length'].length);
    const over2 = await requestH2(session, { ':path': '/info/node', ':method': 'HEAD' });
    assert.deepEqual([over2.status, over2.text], [200, '']);
    assert.ok(Number(over2.headers['content-length']) > 0);
  });
  await check('OPTIONS answers 204 with what a preflight asks for', async () => {
    for (const path of ['/', `/enclave/${enclave.id}`, '*']) {
      const answer = await request('OPTIONS', url, path);
      assert.equal(answer.status, 204);
      assert.equal(answer.text, '');
      assert.equal(answer.headers['access-control-allow-origin'], '*');
      assert.match(answer.headers['access-control-allow-methods'], /GET, POST, OPTIONS/);
      assert.match(answer.headers['access-control-allow-headers'], /content-type/i);
    }
  });
  await check('405 says what is allowed', async () => {
    const answer = await request('PUT', url, '/');
    assertError(answer, 'METHOD_NOT_ALLOWED');
    assert.match(answer.headers.allow, /POST/);
  });
  await check('a chunked body, with extension and trailer', async () => {
    const half = query.length >> 1;
    const chunk = (text, more = '') => `${text.length.toString(16)}${more}\r\n${text}\r\n`;
    const raw = await sendRaw(url, 'POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n'
      + chunk(query.slice(0, half), ';name=value') + chunk(query.slice(half))
      + '0\r\nTrailer: x\r\n\r\n');
    assert.deepEqual(raw.statuses, [200]);
    assert.equal(raw.json.type, 'Response');
    raw.end();
  });
  await check('Expect: 100-continue', async () => {
    const raw = await Raw.open(url);
    raw.write('POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n'
      + `Content-Length: ${query.length}\r\n\r\n`);
    await raw.whenText(/100 Continue\r\n\r\n/);
    raw.write(query);
    await raw.whenText(/200 OK[\s\S]*"Response"/);
    raw.end();
  });
  await check('another expectation is 417, as JSON', async () => {
    const raw = await sendRaw(url, post(query, 'Expect: a-miracle\r\n'));
    assert.deepEqual(raw.statuses, [417]);
    assert.equal(raw.json.code, 'INVALID_REQUEST');
    await raw.whenClosed();
  });
  await check('pipelined requests are answered in order', async () => {
    const raw = await Raw.open(url);
    raw.write(post(query) + 'GET /info/node HTTP/1.1\r\nHost: t\r\n\r\n'
      + 'GET /nowhere HTTP/1.1\r\nHost: t\r\n\r\n' + post('{')
      + 'GET /info/node HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n');
    await raw.whenClosed();
    assert.deepEqual(raw.statuses, [200, 200, 404, 400, 200]);
  });
  await check('a request byte by byte', async () => {
    const raw = await Raw.open(url);
    raw.socket.setNoDelay(true);
    for (const byte of post(query)) {
      raw.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await raw.whenText(/200 OK[\s\S]*"Response"/);
    raw.end();
  });
  await check('HTTP/1.0 without and with keep-alive', async () => {
    const once = await sendRaw(url, 'GET /info/node HTTP/1.0\r\n\r\n');
    await once.whenClosed();
    assert.deepEqual(once.statuses, [200]);
    const kept = await sendRaw(url, 'GET /info/node HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    kept.write('GET /info/node HTTP/1.0\r\n\r\n');
    await kept.whenClosed();
    assert.deepEqual(kept.statuses, [200, 200]);
  });
  await check('a target that is no path is 400', async () => {
    for (const target of ['http://t/info/node', 'info/node', '*']) {
      const raw = await sendRaw(url, `GET ${target} HTTP/1.1\r\nHost: t\r\n\r\n`);
      assert.deepEqual(raw.statuses, [400], target);
      assert.equal(raw.json.code, 'INVALID_REQUEST');
      await raw.whenClosed();
    }
  });
  await check('a body of exactly 1 MiB is looked at, one byte more is 413', async () => {
    for (const [length, code] of [[BODY_MAX, 'INVALID_REQUEST'], [BODY_MAX + 1, 'TOO_LARGE']]) {
      const body = ' '.repeat(length);
      assertError(await request('POST', url, '/', body), code);
      assertError(await request('POST', url, '/', body, { 'transfer-encoding': 'chunked' }), code);
    }
  });
  await check('413 is read even by a client that goes on sending', async () => {
    for (const length of [2 * BODY_MAX, 64 * BODY_MAX]) {
      const raw = await Raw.open(url);
      raw.write(`POST / HTTP/1.1\r\nHost: t\r\nContent-Length: ${length}\r\n\r\n`);
      raw.write(Buffer.alloc(2 * BODY_MAX, 0x20));
      await raw.whenText(/"TOO_LARGE"/);
      assert.deepEqual(raw.statuses, [413]);
      assert.match(raw.text, /access-control-allow-origin: \*/);
      await raw.whenClosed();
      assert.equal(raw.error, undefined, 'no reset before the answer was read');
    }
  });
  await check('HTTP/2: a body over the limit resets the stream, not the connection', async () => {
    const raw = await openH2(url);
    raw.write(headers(1, requestBlock('POST', '/'), END_HEADERS));
    for (let sent = 0; sent <= BODY_MAX; sent += 16384) {
      raw.write(frame(H2.DATA, 0, 1, Buffer.alloc(16384)));
    }
    await until(() => framesOf(raw).some((got) => got.type === H2.RST_STREAM && got.stream === 1),
      'RST_STREAM');
    raw.write(headers(3, requestBlock('GET', '/info/node')));
    await until(() => framesOf(raw).some((got) => got.type === H2.DATA && got.stream === 3),
      'an answer on the next stream');
    raw.end();
  });
  await check('HTTP/2: 300 interleaved requests of all kinds', async () => {
    const kinds = [
      [{ ':path': '/info/node' }, undefined, 200],
      [{ ':path': '/', ':method': 'POST' }, query, 200],
      [{ ':path': '/', ':method': 'POST' }, '{', 400],
      [{ ':path': '/nowhere' }, undefined, 404],
    ];
    const asked = Array.from({ length: 300 }, (_, i) => kinds[i % kinds.length]);
    const answers = await Promise.all(asked.map(([fields, body]) => requestH2(session, fields, body)));
    assert.deepEqual(answers.map((answer) => answer.status), asked.map(([, , status]) => status));
  });
  await check('a client that leaves before the answer costs nothing', async () => {
    for (let i = 0; i < 50; i++) {
      const raw = await Raw.open(url);
      raw.write(post(query));
      raw.end();
      const over2 = await openH2(url);
      for (let stream = 1; stream < 40; stream += 2) {
        over2.write(headers(stream, requestBlock('GET', '/info/node')));
      }
      over2.end();
    }
    const open = async () => {
      const { text } = await request('GET', admin, '/metrics');
      return Number(text.match(/^enclaved_http_requests_open (\d+)$/m)[1]) === 0
        && Number(text.match(/^enclaved_connections_open (\d+)$/m)[1]) < 70;
    };
    await until(open, 'no request and no connection left');
  });
  await check('metrics: a family has one HELP and one TYPE before its samples, none comes twice', async () => {
    for (const accept of ['text/plain', 'application/openmetrics-text']) {
      const { text } = await request('GET', admin, '/metrics', undefined, { accept });
      const [seen, families] = [new Set(), new Set()];
      let family = null;
      for (const line of text.trimEnd().split('\n').filter((one) => one !== '# EOF')) {
        const told = line.match(/^# (HELP|TYPE|UNIT) ([a-z_]+) (.+)$/);
        const sample = line.match(/^([a-z_]+)(?:\{(?:[a-z]+="[^"]*",?)+\})? (\S+)$/);
        if (told?.[1] === 'HELP') assert.ok(!families.has(told[2]), line);
        if (told?.[1] === 'TYPE') assert.equal(families.has(told[2]), true, line);
        if (told) families.add(family = told[2]);
        else {
          assert.ok(sample && Number.isFinite(Number(sample[2])) && !seen.has(line.split(' ')[0]), line);
          const names = ['', '_total', '_bucket', '_sum', '_count', '_info'].map((end) => family + end);
          assert.ok(names.includes(sample[1]), `${line} below ${family}`);
          seen.add(line.split(' ')[0]);
        }
      }
      assert.ok(seen.size > 20);
    }
  });
  await check('admin: health, readiness, metrics, and nothing else', async () => {
    assert.equal((await request('GET', admin, '/healthz')).json.status, 'ok');
    assert.equal((await request('GET', admin, '/readyz')).json.status, 'ready');
    const plain = await request('GET', admin, '/metrics');
    assert.match(plain.headers['content-type'], /^text\/plain; version=0\.0\.4/);
    assert.match(plain.text, /^# TYPE enclaved_http_responses_total counter$/m);
    assert.match(plain.text, /^enclaved_http_responses_total\{class="2xx"\} [1-9]\d*$/m);
    assert.match(plain.text, /^process_cpu_seconds_total \d/m);
    const open = await request('GET', admin, '/metrics', undefined,
      { accept: 'application/openmetrics-text' });
    assert.match(open.headers['content-type'], /^application\/openmetrics-text/);
    assert.match(open.text, /\n# EOF\n$/);
    assert.match(open.text, /^# TYPE enclaved_http_responses counter$/m);
    assertError(await request('POST', admin, '/metrics', '{}'), 'METHOD_NOT_ALLOWED');
    assertError(await request('GET', admin, '/info/node'), 'INVALID_ROUTE');
    for (const path of ['/metrics', '/healthz', '/readyz']) {
      assertError(await request('GET', url, path), 'INVALID_ROUTE');
    }
  });
  session.destroy();
  assert.equal((await daemon.stop()).code, 0);
});
