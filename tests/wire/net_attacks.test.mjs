#!/usr/bin/env node
// What hostile clients do to a listener; after each attack the node still serves and its memory is back in bounds.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { runSuite } from './lib/check.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { Daemon } from './lib/process.mjs';
import { END_HEADERS, H2, Raw, field, frame, framesOf, headers, openH2, requestBlock, rst, sendRaw }
  from './lib/raw.mjs';
import { sleep, until } from './lib/wait.mjs';

const MIB = 1 << 20;
const SLOW_MS = 4000;

/* request text after "GET|POST / HTTP/1.1\r\n"; every row is 400 and the end of the connection */
const AMBIGUOUS = [
  ['a bare LF', 'Host: t\n\r\n'],
  ['a bare LF after a header', 'Host: t\r\nX: 1\nY: 2\r\n\r\n'],
  ['a folded header', 'Host: t\r\nX: 1\r\n 2\r\n\r\n'],
  ['a blank before the colon', 'Host: t\r\nContent-Length : 0\r\n\r\n'],
  ['no Host', 'X: 1\r\n\r\n'],
  ['two Hosts', 'Host: t\r\nHost: u\r\n\r\n'],
  ['two equal Content-Lengths', 'Host: t\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n'],
  ['two different Content-Lengths', 'Host: t\r\nContent-Length: 2\r\nContent-Length: 1\r\n\r\n{}'],
  ['a list of Content-Lengths', 'Host: t\r\nContent-Length: 2, 2\r\n\r\n{}'],
  ['a signed Content-Length', 'Host: t\r\nContent-Length: +2\r\n\r\n{}'],
  ['Content-Length and Transfer-Encoding',
    'Host: t\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['Transfer-Encoding and Content-Length',
    'Host: t\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n'],
  ['two Transfer-Encodings',
    'Host: t\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['an unknown Transfer-Encoding', 'Host: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['a vertical tab in Transfer-Encoding', 'Host: t\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n'],
  ['a NUL in a header', 'Host: t\r\nX: a\0b\r\n\r\n'],
  ['a broken chunk size', 'Host: t\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
  ['a chunk size that overflows',
    'Host: t\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n'],
  ['no colon', 'Host: t\r\nnonsense\r\n\r\n'],
];

await runSuite(async ({ check }) => {
  const env = {
    ENCLAVED_LIMITS_REQUEST_TIMEOUT_MS: String(SLOW_MS),
    ENCLAVED_LIMITS_RESPONSE_TIMEOUT_MS: String(SLOW_MS),
    ENCLAVED_LIMITS_CONNECTIONS_PER_ADDRESS: '100',
  };
  const daemon = await Daemon.start({ env });
  const { url, admin, client } = daemon;
  const enclave = await Enclave.create(client, wall);
  const resident = () => Number(fs.readFileSync(`/proc/${daemon.child.pid}/statm`, 'utf8')
    .split(' ')[1]) * 4096;
  const metric = async (row) => {
    const { text } = await request('GET', admin, '/metrics');
    return Number(text.split('\n').find((line) => line.startsWith(`${row} `))?.split(' ')[1]);
  };
  const refusals = (reason) => metric(`enclaved_refusals_total{reason="${reason}"}`);
  const serves = async () => assert.equal((await request('GET', url, '/info/node')).status, 200);
  await serves();

  for (const [what, rest] of AMBIGUOUS) {
    await check(`smuggling: ${what} is 400 and ends the connection`, async () => {
      const raw = await sendRaw(url, `POST / HTTP/1.1\r\n${rest}`);
      raw.write('GET /info/node HTTP/1.1\r\nHost: t\r\n\r\n');
      await raw.whenClosed();
      assert.deepEqual(raw.statuses, [400]);
      assert.doesNotMatch(raw.text, /seq_pub/);
    });
  }
  await check('smuggling: one empty line before a request is allowed, and nothing else', async () => {
    const raw = await sendRaw(url, '\r\nGET /info/node HTTP/1.1\r\nHost: t\r\n\r\n');
    assert.deepEqual(raw.statuses, [200]);
    raw.end();
  });
  await check('too many headers are 431, or 400 beyond what h2o reads', async () => {
    for (const [count, status] of [[60, 200], [80, 431], [200, 400]]) {
      const lines = Array.from({ length: count }, (_, i) => `X-${i}: 1\r\n`).join('');
      const raw = await sendRaw(url, `GET /info/node HTTP/1.1\r\nHost: t\r\n${lines}\r\n`);
      assert.deepEqual(raw.statuses, [status], `${count} headers`);
      raw.end();
    }
  });
  await check('too large headers are 431, and an endless head is cut off', async () => {
    const raw = await sendRaw(url,
      `GET /info/node HTTP/1.1\r\nHost: t\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    assert.deepEqual(raw.statuses, [431]);
    await raw.whenClosed();
    const endless = await Raw.open(url);
    endless.write('GET / HTTP/1.1\r\nHost: t\r\nX: ');
    for (let i = 0; i < 64; i++) endless.write('x'.repeat(16384));
    await endless.whenClosed();
  });
  await check('HTTP/1: a head that dribbles in is cut', async () => {
    const raw = await Raw.open(url);
    const begun = Date.now();
    raw.write('GET / HTTP/1.1\r\nHost: t\r\n');
    const drip = setInterval(() => raw.write('X: 1\r\n'), 100);
    await raw.whenClosed(SLOW_MS * 3).finally(() => clearInterval(drip));
    assert.ok(Date.now() - begun >= SLOW_MS - 100);
  });
  await check('HTTP/1: a body that dribbles in is cut', async () => {
    const raw = await Raw.open(url);
    raw.write('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n');
    const drip = setInterval(() => raw.write('x'), 100);
    await raw.whenClosed(SLOW_MS * 3).finally(() => clearInterval(drip));
  });
  await check('HTTP/1: endless chunk extensions are cut', async () => {
    const raw = await Raw.open(url);
    raw.write('POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1;');
    const drip = setInterval(() => raw.write('x'.repeat(65536)), 20);
    await raw.whenClosed(SLOW_MS * 3).finally(() => clearInterval(drip));
    await serves();
  });
  await check('HTTP/2: a body that dribbles in is cut', async () => {
    const raw = await openH2(url);
    raw.write(headers(1, requestBlock('POST', '/'), END_HEADERS));
    const drip = setInterval(() => raw.write(frame(H2.DATA, 0, 1, Buffer.from('x'))), 100);
    await raw.whenClosed(SLOW_MS * 4).finally(() => clearInterval(drip));
    assert.ok(await refusals('slow_request') >= 1);
  });
  await check('HTTP/2: many bodies that arrive slowly on one connection are cut early', async () => {
    const raw = await openH2(url);
    const begun = Date.now();
    for (let stream = 1; stream < 41; stream += 2) {
      raw.write(headers(stream, requestBlock('POST', '/'), END_HEADERS));
      raw.write(frame(H2.DATA, 0, stream, Buffer.alloc(16_384)));
    }
    await raw.whenClosed();
    assert.ok(Date.now() - begun < SLOW_MS, 'before a single slow one would be');
  });
  await check('HTTP/2: headers that never end are cut', async () => {
    const raw = await openH2(url);
    raw.write(headers(1, requestBlock('GET', '/'), 0));
    const drip = setInterval(() => raw.write(frame(H2.CONTINUATION, 0, 1, field('x', '1'))), 100);
    await raw.whenClosed(SLOW_MS * 4).finally(() => clearInterval(drip));
  });
  await check('an answer that nobody takes is cut', async () => {
    await enclave.post(enclave.owner, 'x'.repeat(250_000));
    const query = JSON.stringify({ type: 'Query', enclave: enclave.id, content: {} });
    const before = await refusals('slow_response');
    const raw = await Raw.open(url);
    raw.socket.pause();
    const one = `POST / HTTP/1.1\r\nHost: t\r\nContent-Length: ${query.length}\r\n\r\n${query}`;
    raw.write(one.repeat(100));
    await until(async () => await refusals('slow_response') > before, 'a slow response', SLOW_MS * 3);
    raw.end();
  });
  await check('HTTP/2: rapid reset ends the connection, work stays bounded', async () => {
    const before = resident();
    const raw = await openH2(url);
    for (let stream = 1; stream < 40_000 && !raw.closed; stream += 2) {
      raw.write(Buffer.concat([headers(stream, requestBlock('GET', '/info/node')), rst(stream)]));
      if (stream % 2000 === 1) await sleep(1);
    }
    await raw.whenClosed();
    assert.ok(await refusals('resets') >= 1);
    assert.ok(resident() - before < 32 * MIB);
    await serves();
  });
  await check('HTTP/2: resets that the server is made to send count, too', async () => {
    const before = await refusals('resets');
    const raw = await openH2(url);
    const nothing = (stream) => frame(H2.WINDOW_UPDATE, 0, stream, Buffer.alloc(4));
    for (let stream = 1; stream < 40_000 && !raw.closed; stream += 2) {
      raw.write(Buffer.concat([headers(stream, requestBlock('GET', '/info/node')),
        nothing(stream)]));
      if (stream % 2000 === 1) await sleep(1);
    }
    await raw.whenClosed();
    assert.ok(await refusals('resets') > before);
    await serves();
  });
  await check('HTTP/2: a header bomb ends the connection', async () => {
    const before = resident();
    const raw = await openH2(url);
    const bomb = Buffer.concat([requestBlock('GET', '/'), field('x-bomb', 'x'.repeat(3900), true),
      Buffer.alloc(12_000, 0xbe)]);
    raw.write(headers(1, bomb, END_HEADERS | 1));
    const rest = Buffer.alloc(16_000, 0xbe);
    for (let stream = 3; stream < 200 && !raw.closed; stream += 2) {
      raw.write(headers(stream, Buffer.concat([requestBlock('GET', '/'), rest.subarray(0, 15_000)])));
      await sleep(1);
    }
    await raw.whenClosed();
    assert.ok(await refusals('headers') >= 1);
    assert.ok(resident() - before < 64 * MIB);
    await serves();
  });
  await check('HTTP/2: a bomb in CONTINUATION frames ends the connection', async () => {
    const before = resident();
    const raw = await openH2(url);
    raw.write(headers(1, Buffer.concat([requestBlock('GET', '/'),
      field('x-bomb', 'x'.repeat(3900), true)]), 1));
    for (let i = 0; i < 24; i++) {
      raw.write(frame(H2.CONTINUATION, i === 23 ? END_HEADERS : 0, 1, Buffer.alloc(16_384, 0xbe)));
    }
    await raw.whenClosed();
    assert.ok(resident() - before < 128 * MIB);
    await serves();
  });
  await check('HTTP/2: floods of PING and SETTINGS that nobody reads answers to', async () => {
    const before = resident();
    for (const flood of [frame(H2.PING, 0, 0, Buffer.alloc(8)), frame(H2.SETTINGS, 0, 0)]) {
      const raw = await openH2(url);
      raw.socket.pause();
      const block = Buffer.concat(Array.from({ length: 1000 }, () => flood));
      for (let i = 0; i < 300 && raw.socket.writableLength < 4 * MIB; i++) {
        raw.write(block);
        if (i % 10 === 0) await sleep(1);
      }
      await serves();
      raw.end();
    }
    assert.ok(resident() - before < 32 * MIB);
  });
  await check('HTTP/2: frames of unknown types are skipped without a line in the log', async () => {
    const raw = await openH2(url);
    for (let i = 0; i < 1000; i++) raw.write(frame(0x10, 0, 0, Buffer.from('hello')));
    raw.write(headers(1, requestBlock('GET', '/info/node')));
    await until(() => framesOf(raw).some((got) => got.type === H2.DATA), 'an answer');
    raw.end();
    const odd = daemon.lines.filter((line) => !line.level || /skipping/.test(JSON.stringify(line)));
    assert.deepEqual(odd, []);
  });
  await check('HTTP/2: more streams than announced are refused', async () => {
    const raw = await openH2(url);
    const burst = [];
    for (let stream = 1; stream <= 401; stream += 2) {
      burst.push(headers(stream, requestBlock('POST', '/'), END_HEADERS));
    }
    raw.write(Buffer.concat(burst));
    await until(() => framesOf(raw).some((got) => got.type === H2.RST_STREAM), 'a refused stream');
    raw.end();
    await serves();
  });
  await check('HTTP/2: nonsense after the preface ends the connection', async () => {
    for (const nonsense of [Buffer.alloc(4096, 0xff), frame(H2.DATA, 0, 1, Buffer.from('x')),
      frame(H2.SETTINGS, 0, 0, Buffer.alloc(5)), frame(H2.CONTINUATION, 4, 1, Buffer.alloc(9))]) {
      const raw = await openH2(url);
      raw.write(nonsense);
      await raw.whenClosed();
    }
    await serves();
  });
  await check('connections of one address are bounded', async () => {
    await until(async () => await metric('enclaved_connections_open') < 70, 'earlier ones to end',
      10_000);
    const all = await Promise.all(Array.from({ length: 160 }, () => Raw.open(url)));
    await until(() => all.filter((raw) => raw.closed).length >= 60, 'the surplus to be closed');
    assert.ok(await refusals('connections_of_address') >= 60);
    const kept = all.find((raw) => !raw.closed);
    kept.write('GET /info/node HTTP/1.1\r\nHost: t\r\n\r\n');
    await kept.whenText(/200 OK/);
    all.forEach((raw) => raw.end());
    await until(async () => await metric('enclaved_connections_open') < 70, 'room again');
    await serves();
  });
  await check('connections that send nothing are closed', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => Raw.open(url)));
    await until(() => all.every((raw) => raw.closed), 'all to be closed', SLOW_MS * 3);
  });
  assert.equal((await daemon.stop()).code, 0);

  await check('idle after an answer: HTTP/1 and HTTP/2 each by its own time', async () => {
    const idle = await Daemon.start({ env: { ENCLAVED_LIMITS_REQUEST_TIMEOUT_MS: '600',
      ENCLAVED_LIMITS_IDLE_TIMEOUT_MS: '2000' } });
    const begin = Date.now();
    const took = (raw) => raw.whenClosed(8000).then(() => Date.now() - begin);
    const h1 = await sendRaw(idle.url, 'GET /info/node HTTP/1.1\r\nHost: t\r\n\r\n');
    const h2 = await openH2(idle.url);
    h2.write(headers(1, requestBlock('GET', '/info/node')));
    const [first, second] = await Promise.all([took(h1), took(h2)]);
    assert.ok(first >= 500 && first < 1900, `HTTP/1: ${first} ms`);
    assert.ok(second >= 1900 && second < 6000, `HTTP/2: ${second} ms`);
    assert.ok(framesOf(h2).some(({ type }) => type === H2.HEADERS), 'it was answered');
    await idle.stop();
  });

  const small = await Daemon.start({ env: { ENCLAVED_LIMITS_CONNECTIONS: '20',
    ENCLAVED_LIMITS_OUTSTANDING: '3' } });
  await check('connections of all addresses together are bounded', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => Raw.open(small.url)));
    await until(() => all.filter((raw) => raw.closed).length >= 30, 'the surplus to be closed');
    const { text } = await request('GET', small.admin, '/metrics');
    assert.match(text, /reason="connections"\} [1-9]/, 'and admin still answers');
    all.forEach((raw) => raw.end());
    const answers = async () => (await request('GET', small.url, '/info/node').catch(() => ({})))
      .status === 200;
    await until(answers, 'room again');
  });
  await check('unanswered requests of one connection are bounded', async () => {
    const raw = await openH2(small.url);
    raw.write(Buffer.concat(Array.from({ length: 60 }, (_, i) =>
      headers(2 * i + 1, requestBlock('GET', '/info/node')))));
    const ends = () => framesOf(raw).filter((got) => got.type === H2.DATA && got.flags & 1);
    await until(() => ends().length === 60, 'all answers');
    const bodies = framesOf(raw).filter((got) => got.type === H2.DATA).map((got) => String(got.payload));
    const busy = bodies.filter((body) => /unanswered requests/.test(body));
    assert.ok(busy.length >= 20 && busy.length < 60, `${busy.length} of 60 were refused`);
    busy.forEach((body) => assert.equal(JSON.parse(body).code, 'RATE_LIMITED'));
    raw.end();
  });
  assert.equal((await small.stop()).code, 0);
});
