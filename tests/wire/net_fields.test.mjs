#!/usr/bin/env node
// Header fields of answers: CORS by configuration, security, what caches may keep, codings of bodies.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import https from 'node:https';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { newCertificate } from './lib/certificate.mjs';
import { runSuite } from './lib/check.mjs';
import { assertOk } from './lib/errors.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { Daemon } from './lib/process.mjs';
import { sendRaw } from './lib/raw.mjs';
import { until } from './lib/wait.mjs';

const run = promisify(execFile);
const PAGE = 'https://app.example.org';
const IMMUTABLE = 'public, max-age=31536000, immutable';

const overTls = (port) => new Promise((resolve, reject) => https.get(
  { port, host: '127.0.0.1', path: '/info/node', rejectUnauthorized: false },
  (response) => response.resume().on('end', () => resolve(response.headers))).on('error', reject));

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { url, client } = daemon;
  const enclave = await Enclave.create(client, wall);
  for (let i = 0; i < 9; i++) await enclave.post(enclave.owner);
  const get = (path, headers = {}) => request('GET', url, path, undefined, headers);
  const manifest = `/enclave/${enclave.id}/info/manifest`;

  await check('every answer: security fields; errors of h2o too', async () => {
    const answers = [await get('/info/node'), await get('/nowhere'), await client.post('/', 'x'),
      await request('OPTIONS', url, '/')];
    for (const { headers } of answers) {
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
      assert.equal(headers['cross-origin-resource-policy'], 'cross-origin');
      assert.equal(headers['access-control-allow-origin'], '*');
      assert.equal(headers['access-control-allow-credentials'], undefined);
      assert.equal(headers['strict-transport-security'], undefined);
    }
    const raw = await sendRaw(url, 'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9999999\r\n\r\n');
    assert.deepEqual(raw.statuses, [413]);
    assert.match(raw.text, /x-content-type-options: nosniff/i);
    raw.end();
  });
  await check('a page may read the fields that tell it to wait', async () => {
    const { headers } = await get('/info/node', { origin: PAGE });
    assert.match(headers['access-control-expose-headers'], /Retry-After/);
    assert.match(headers['access-control-expose-headers'], /RateLimit/);
    assert.equal((await get('/info/node')).headers['access-control-expose-headers'], undefined);
  });
  await check('preflight: methods, fields, age', async () => {
    const { status, headers } = await request('OPTIONS', url, '/', undefined,
      { origin: PAGE, 'access-control-request-method': 'POST' });
    assert.equal(status, 204);
    assert.equal(headers['access-control-allow-methods'], 'GET, POST, OPTIONS');
    assert.match(headers['access-control-allow-headers'], /Content-Type/);
    assert.equal(headers['access-control-max-age'], '86400');
  });
  await check('a Manifest and a proof between two sizes never change: tag, age, 304', async () => {
    for (const path of [manifest, `/enclave/${enclave.id}/consistency?from=1&to=2`]) {
      const first = assertOk(await get(path));
      const tag = first.headers.etag;
      assert.match(tag, /^"[0-9a-f]{32}"$/);
      assert.equal(first.headers['cache-control'], IMMUTABLE);
      for (const asked of [tag, `W/${tag}`, `"x", ${tag} ,"y"`, '*']) {
        const again = await get(path, { 'if-none-match': asked });
        assert.deepEqual([again.status, again.text, again.headers.etag], [304, '', tag], asked);
        assert.equal(again.headers['cache-control'], IMMUTABLE);
        assert.equal(again.headers['access-control-allow-origin'], '*');
      }
      for (const asked of ['"x"', tag.slice(0, -1), `x${tag}`])
        assert.equal((await get(path, { 'if-none-match': asked })).status, 200, asked);
    }
    assert.notEqual((await get(manifest)).headers.etag,
      (await get(`/enclave/${enclave.id}/consistency?from=1&to=2`)).headers.etag);
  });
  await check('304 over HTTP/1.1 and HTTP/2, by curl', async () => {
    const { headers } = await get(manifest);
    for (const version of ['--http1.1', '--http2-prior-knowledge']) {
      const { stdout } = await run('curl', ['-si', version, '-H', `If-None-Match: ${headers.etag}`, url + manifest]);
      assert.match(stdout, /^HTTP\/[\d.]+ 304/);
      assert.equal(stdout.split('\r\n\r\n')[1], '');
    }
  });
  await check('what may change is not kept', async () => {
    const commit = enclave.make(enclave.owner, 'Post', 'x');
    const answers = [await get(`/enclave/${enclave.id}/sth`), await get(`/enclave/${enclave.id}/info/enclave`),
      await get(`/enclave/${enclave.id}/consistency?from=1`), await get('/info/node'),
      await client.commit(commit), await client.query(enclave.id, {}),
      await get(`/enclave/${enclave.id}/consistency?from=1&to=999`),
      await get(`/enclave/${'00'.repeat(32)}/info/manifest`)];
    for (const { headers } of answers) {
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal(headers.etag, undefined);
    }
  });
  await check('a body in a coding is 415, its type does not matter', async () => {
    const query = JSON.stringify({ type: 'Query', enclave: enclave.id, content: {} });
    const coded = await client.post('/', gzipSync(query), { 'content-encoding': 'gzip' });
    assert.equal(coded.status, 415);
    assert.equal(coded.json.code, 'INVALID_REQUEST');
    assert.equal(coded.headers['accept-encoding'], 'identity');
    assertOk(await client.post('/', query, { 'content-encoding': 'identity' }));
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/json; charset=utf-8'])
      assertOk(await client.post('/', query, { 'content-type': type }));
  });
  await check('cors.origins: only these, by name, and caches are told', async () => {
    const other = 'http://localhost:3000';
    const strict = await Daemon.start({ env: { ENCLAVED_CORS_ORIGINS: `${PAGE},${other}` } });
    for (const origin of [PAGE, other]) {
      for (const method of ['GET', 'OPTIONS']) {
        const { headers } = await request(method, strict.url, '/info/node', undefined, { origin });
        assert.equal(headers['access-control-allow-origin'], origin);
        assert.equal(headers.vary, 'Origin');
        assert.equal(headers['access-control-allow-credentials'], undefined);
        assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      }
    }
    for (const origin of ['https://evil.example', 'https://app.example.org.evil', 'null', `${PAGE}:443`]) {
      const { headers } = await request('GET', strict.url, '/info/node', undefined, { origin });
      assert.equal(headers['access-control-allow-origin'], undefined, origin);
      assert.equal(headers.vary, 'Origin');
    }
    await strict.stop();
  });
  await check('cors.origins: what is no origin is refused at start', async () => {
    for (const wrong of ['app.example.org', 'https://', 'https://a/path', 'https://A.example']) {
      const { code, stderr } = await run(daemon.program, ['--check-config'],
        { env: { ...process.env, ENCLAVED_CORS_ORIGINS: wrong } }).catch((error) => error);
      assert.equal(code, 2, wrong);
      assert.match(stderr, /cors\.origins/);
    }
  });
  await check('Strict-Transport-Security over TLS only, when configured', async () => {
    const { certificate, key } = newCertificate();
    const secure = await Daemon.start({ env: { ENCLAVED_TLS_CERTIFICATE: certificate, ENCLAVED_TLS_KEY: key,
      ENCLAVED_TLS_LISTEN: '127.0.0.1:0', ENCLAVED_TLS_HSTS_SECONDS: '31536000' } });
    const { address } = await until(() => secure.lines.find((line) => line.listener === 'tls'), 'tls');
    const headers = await overTls(Number(address.split(':')[1]));
    assert.equal(headers['strict-transport-security'], 'max-age=31536000');
    const plain = await request('GET', secure.url, '/info/node');
    assert.equal(plain.headers['strict-transport-security'], undefined);
    await secure.stop();
  });
  await daemon.stop();
});
