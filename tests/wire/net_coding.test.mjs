#!/usr/bin/env node
// Compression: public answers above a size, for who asks; never what only its reader may know.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import http from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { runSuite } from './lib/check.mjs';
import { Enclave, forum, wall } from './lib/fixtures.mjs';
import { envelope } from './lib/client.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';

const run = promisify(execFile);
const DECODE = { gzip: gunzipSync, br: brotliDecompressSync, undefined: (bytes) => bytes };

/** { status, headers, bytes, json }: bytes as they came, json decoded. */
function ask(base, method, path, headers = {}, body = undefined) {
  return new Promise((resolve, reject) => {
    const call = http.request(base + path, { method, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const plain = bytes.length ? DECODE[response.headers['content-encoding']](bytes) : bytes;
        resolve({ status: response.statusCode, headers: response.headers, bytes,
          json: plain.length ? JSON.parse(plain) : undefined });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { url, client } = daemon;
  const enclave = await Enclave.create(client, wall);
  for (let i = 0; i < 20; i++) await enclave.post(enclave.owner);
  const query = JSON.stringify({ type: 'Query', enclave: enclave.id, content: {} });
  const page = (accept) => ask(url, 'POST', '/', accept ? { 'accept-encoding': accept } : {}, query);
  const manifest = `/enclave/${enclave.id}/info/manifest`;

  await check('a public page of events: as asked for, the same JSON, caches are told', async () => {
    const plain = await page();
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(plain.headers.vary, 'Accept-Encoding');
    for (const [accept, coding] of [['gzip', 'gzip'], ['gzip, deflate, br', 'br'], ['br;q=0, gzip', 'gzip'],
      ['zstd', undefined], ['identity', undefined], ['gzip;q=0', undefined]]) {
      const { headers, bytes, json } = await page(accept);
      assert.equal(headers['content-encoding'], coding, accept);
      assert.equal(headers.vary, 'Accept-Encoding');
      assert.equal(Number(headers['content-length']), bytes.length);
      assert.deepEqual(json, plain.json);
      if (coding) assert.ok(bytes.length < plain.bytes.length * 0.8, `${bytes.length} of ${plain.bytes.length}`);
    }
  });
  await check('curl --compressed over HTTP/1.1 and HTTP/2', async () => {
    const plain = (await ask(url, 'GET', manifest)).json;
    for (const version of ['--http1.1', '--http2-prior-knowledge']) {
      const { stdout } = await run('curl', ['-s', '--compressed', version, url + manifest]);
      assert.deepEqual(JSON.parse(stdout), plain);
    }
  });
  await check('a tag is weak in a coding, and says the same', async () => {
    const plain = await ask(url, 'GET', manifest);
    const coded = await ask(url, 'GET', manifest, { 'accept-encoding': 'br' });
    assert.equal(coded.headers['content-encoding'], 'br');
    assert.equal(coded.headers.etag, `W/${plain.headers.etag}`);
    for (const tag of [plain.headers.etag, coded.headers.etag]) {
      const again = await ask(url, 'GET', manifest, { 'accept-encoding': 'br', 'if-none-match': tag });
      assert.deepEqual([again.status, again.bytes.length], [304, 0]);
      assert.equal(again.headers['content-encoding'], undefined);
      assert.equal(again.headers.vary, 'Accept-Encoding');
    }
  });
  await check('never what a session reads, never receipts, errors or what is small', async () => {
    const accept = { 'accept-encoding': 'gzip, br' };
    const secret = await Enclave.create(client, forum);
    const { body } = envelope(client.seqPub, 'Query', secret.id, {}, { as: secret.owner });
    const commit = enclave.make(newKey(), 'Post', 'x'.repeat(20000));
    const answers = [await ask(url, 'POST', '/', accept, JSON.stringify(body)),
      await ask(url, 'POST', '/', accept, JSON.stringify(commit)),
      await ask(url, 'POST', '/', accept, JSON.stringify({ ...commit, exp: 1 })),
      await ask(url, 'GET', '/info/node', accept), await ask(url, 'GET', `/enclave/${enclave.id}/sth`, accept)];
    assert.ok(answers[0].bytes.length > 1024, 'a sealed page is large');
    for (const { headers } of answers) {
      assert.equal(headers['content-encoding'], undefined);
      assert.equal(headers.vary, undefined);
    }
  });
  await check('compress.min: 0 is off', async () => {
    const off = await Daemon.start({ env: { ENCLAVED_COMPRESS_MIN: '0' } });
    const other = await Enclave.create(off.client, wall);
    const { headers } = await ask(off.url, 'GET', `/enclave/${other.id}/info/manifest`, { 'accept-encoding': 'br' });
    assert.deepEqual([headers['content-encoding'], headers.vary], [undefined, undefined]);
    await off.stop();
  });
  await daemon.stop();
});
