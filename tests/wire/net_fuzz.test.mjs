#!/usr/bin/env node
// Random and half-valid bytes in every protocol the listeners speak. SEED repeats a run, ROUNDS makes it longer.

import assert from 'node:assert/strict';
import { newCertificate } from './lib/certificate.mjs';
import { runSuite } from './lib/check.mjs';
import { request } from './lib/http.mjs';
import { Daemon } from './lib/process.mjs';
import { H2, Raw, field, frame, headers, requestBlock, rst } from './lib/raw.mjs';
import { seededRandom } from './lib/random.mjs';
import { mapWide, sleep, until } from './lib/wait.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 150);
const WIDTH = 6;
const ID = 'ab'.repeat(32);
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

await runSuite(async ({ check }) => {
  const random = seededRandom();
  const { below, chance, pick } = { below: (n) => random.below(n), chance: (n) => random.chance(n),
    pick: (list) => random.pick(list) };
  const noise = (length) => Buffer.from(Array.from({ length }, () => below(256)));
  const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));

  /** The same bytes, some of them changed, dropped or doubled. */
  const mutate = (bytes) => {
    const out = Buffer.from(bytes);
    for (let i = below(4); i > 0 && out.length; i--) out[below(out.length)] = below(256);
    const cut = below(out.length + 1);
    return chance(80) ? out : pick([out.subarray(0, cut), Buffer.concat([out, out.subarray(cut)])]);
  };

  const LINES = [`GET /enclave/${ID}/sth`, 'POST /', 'GET /info/node', `POST /enclave/${ID}`,
    'OPTIONS *', 'HEAD /info/node', 'PRI *', 'GET http://t/', 'PUT /x'];
  const FIELDS = ['Host: t', 'Content-Length: 4', 'Content-Length: 99999999999999999999',
    'Transfer-Encoding: chunked', 'Expect: 100-continue', 'Connection: close',
    'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__',
    'HTTP2-Settings: ////', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', `X: ${'y'.repeat(3000)}`, 'Cookie: a=b', ': x'];
  const BODIES = ['', '{"a":1}', '4\r\n{}{}\r\n0\r\n\r\n', '{}{}', 'ffffffff\r\n'];
  const http1 = () => Buffer.concat(times(1 + below(4), () => mutate(Buffer.from(
    `${pick(LINES)} HTTP/1.${below(2)}\r\n${times(below(6), () => pick(FIELDS)).join('\r\n')}`
    + `\r\nHost: t\r\n\r\n${pick(BODIES)}`))));

  const block = () => pick([requestBlock('GET', '/info/node'), requestBlock('POST', '/'), noise(below(40)),
    Buffer.concat([requestBlock('POST', `/${ID}`), field('content-length', String(below(20))),
      field('x', noise(below(20)).toString('latin1'), chance(50))])]);
  const stream = () => pick([0, 1, 1, 3, 5, 7, 9, 2, 2 * below(200) + 1, 0x7fffffff]);
  const http2Frame = () => pick([
    () => headers(stream(), block(), pick([0, 1, 4, 5, 5, 5, 5, 0x25, 0x0d])),
    () => frame(H2.DATA, pick([0, 1, 8, 9]), stream(), noise(below(60))),
    () => rst(stream()),
    () => frame(H2.SETTINGS, pick([0, 0, 1]), pick([0, 0, 1]), noise(6 * below(4))),
    () => frame(H2.SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, below(3)])),
    () => frame(H2.PING, pick([0, 1]), 0, noise(8)),
    () => frame(H2.WINDOW_UPDATE, 0, stream(), pick([Buffer.from([0, 0, 1, 0]), Buffer.alloc(4),
      Buffer.from([0x7f, 255, 255, 255])])),
    () => frame(H2.CONTINUATION, pick([0, 4]), stream(), block()),
    () => frame(H2.GOAWAY, 0, 0, noise(8)),
    () => frame(2, 0, stream(), noise(5)),
    () => frame(5, 4, stream(), noise(12)),
    () => frame(below(256), below(256), stream(), noise(below(30))),
  ])();
  const http2 = () => Buffer.concat([PREFACE, frame(H2.SETTINGS, 0, 0),
    ...times(2 + below(30), () => (chance(90) ? http2Frame() : mutate(http2Frame())))]);

  const UPGRADE = Buffer.from('GET / HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
  const TEXTS = ['{"type":"Close","sub_id":"a"}', '{}', `{"type":"Query","enclave":"${ID}","sub_id":"a",`
    + '"content":{}}', '[[[[', '\xff'];
  const wsFrame = () => {
    const payload = Buffer.from(pick(TEXTS), 'latin1');
    const first = pick([0x81, 0x81, 0x81, 0x01, 0x00, 0x80, 0x82, 0x88, 0x89, 0x8a, 0xc1]);
    return Buffer.concat([Buffer.from([first, 0x80 | Math.min(payload.length, 125), 0, 0, 0, 0]),
      payload.subarray(0, 125)]);
  };
  const webSocket = () => Buffer.concat([UPGRADE,
    ...times(1 + below(20), () => (chance(85) ? wsFrame() : mutate(wsFrame())))]);

  const { certificate, key } = newCertificate();
  const env = { ENCLAVED_TLS_LISTEN: '127.0.0.1:0', ENCLAVED_TLS_CERTIFICATE: certificate,
    ENCLAVED_TLS_KEY: key, ENCLAVED_LIMITS_REQUEST_TIMEOUT_MS: '500' };
  const daemon = await Daemon.start({ env });
  const line = await until(() => daemon.lines.find((got) => got.listener === 'tls'), 'the TLS line');
  const secure = `https://${line.address}`;

  /** Send bytes in a few pieces and leave in one of many ways. */
  const send = async (url, bytes, options) => {
    const raw = await Raw.open(url, options);
    if (chance(20)) raw.socket.pause();
    for (let at = 0; at < bytes.length && !raw.closed;) {
      const next = at + 1 + below(chance(50) ? bytes.length : 40);
      raw.write(bytes.subarray(at, next));
      at = next;
      if (chance(30)) await sleep(below(3));
    }
    await sleep(below(20));
    if (chance(30)) raw.socket.end();
    if (chance(20) && !raw.socket.encrypted) raw.socket.resetAndDestroy();
    raw.end();
  };

  for (const [what, make, alpn] of [['noise', () => noise(1 + below(400))], ['HTTP/1', http1],
    ['HTTP/2', http2, 'h2'], ['WebSocket', webSocket]]) {
    await check(`${ROUNDS} connections of ${what}, in clear and over TLS`, async () => {
      await mapWide(times(ROUNDS, (i) => i), WIDTH, (i) => (i % 3
        ? send(daemon.url, make())
        : send(secure, make(), { ALPNProtocols: [alpn ?? 'http/1.1'] })));
      assert.equal(daemon.child.exitCode ?? daemon.child.signalCode, null, 'it lives');
      assert.equal((await request('GET', daemon.url, '/info/node')).status, 200);
    }, 60_000 + ROUNDS * 100);
  }
  await check('nothing is left over', () => until(async () => {
    const { text } = await request('GET', daemon.admin, '/metrics');
    const level = (name) => Number(text.match(new RegExp(`^enclaved_${name}_open (\\d+)$`, 'm'))[1]);
    return level('http_requests') + level('websockets') === 0 && level('connections') < 10;
  }, 'requests, sockets and connections to end', 15_000));
  const odd = daemon.lines.filter((got) => got.msg === 'library' || !got.level);
  await check('no library complained', () => assert.deepEqual(odd, []));
  assert.equal((await daemon.stop()).code, 0);
});
