#!/usr/bin/env node
// The PROXY protocol: who a trusted balancer names is whom the limits count; what is malformed is closed.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { newCertificate } from './lib/certificate.mjs';
import { runSuite } from './lib/check.mjs';
import { request } from './lib/http.mjs';
import { Daemon } from './lib/process.mjs';
import { Raw } from './lib/raw.mjs';
import { until } from './lib/wait.mjs';

const run = promisify(execFile);
const GET = 'GET /info/node HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n';

const v1 = (source, family = 4) => `PROXY TCP${family} ${source} ${family === 4 ? '192.0.2.1' : '2001:db8::1'} 1000 80\r\n`;

/** Version 2 with addresses as bytes. */
function v2(source, { command = 0x21, tlv = Buffer.alloc(0), family = source.length === 4 ? 0x11 : 0x21 } = {}) {
  const addresses = Buffer.concat([source, Buffer.alloc(source.length, 9), Buffer.from([1, 2, 3, 4])]);
  const head = Buffer.from('0d0a0d0a000d0a515549540a00000000', 'hex');
  head[12] = command;
  head[13] = family;
  head.writeUInt16BE(addresses.length + tlv.length, 14);
  return Buffer.concat([head, addresses, tlv]);
}

const metric = async (daemon) => {
  const { text } = await request('GET', daemon.admin, '/metrics');
  return Number(text.match(/enclaved_refusals_total\{reason="proxy_head"\} (\d+)/)[1]);
};

/* Client.of() of the fixture would come without a head, so the daemon trusts another loopback address. */
const start = (trusted, more = {}) => Daemon.start({ env: { ENCLAVED_PROXY_TRUSTED: trusted, ...more } });
const FROM = '127.0.0.2';

await runSuite(async ({ check }) => {
  const daemon = await start(`10.0.0.0/8,${FROM}`, { ENCLAVED_LIMITS_RATE_ADDRESS: '1',
    ENCLAVED_LIMITS_RATE_ADDRESS_BURST: '2', ENCLAVED_LIMITS_HANDSHAKE_TIMEOUT_MS: '1500' });
  const open = () => Raw.open(daemon.url, { localAddress: FROM });

  /** Status of a request behind these bytes; null when the connection is closed without a word. */
  async function ask(...pieces) {
    const raw = await open();
    for (const piece of [...pieces, GET]) {
      raw.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await raw.whenClosed();
    return raw.statuses[0] ?? null;
  }

  await check('curl --haproxy-protocol: version 1', async () => {
    const { stdout } = await run('curl', ['-s', '--haproxy-protocol', '--interface', FROM, '-w', '%{http_code}',
      '-o', '/dev/null', `${daemon.url}/info/node`]);
    assert.equal(stdout, '200');
  });
  await check('limits count who is named, in either version', async () => {
    const sources = [v1('198.51.100.1'), v2(Buffer.from([198, 51, 100, 2])), v1('2001:db8:7::1', 6),
      v2(Buffer.from('20010db8000800000000000000000001', 'hex'), { tlv: Buffer.alloc(200, 4) })];
    for (const source of sources) {
      const got = [await ask(source), await ask(source), await ask(source)];
      assert.deepEqual(got, [200, 200, 429], source.toString('latin1'));
    }
    assert.equal(await ask(v1('2001:db8:7::ffff', 6)), 429, 'the same /64');
  });
  await check('a head that comes byte by byte, and one with the request in one piece', async () => {
    const raw = await open();
    for (const byte of v2(Buffer.from([198, 51, 100, 3]))) raw.write(Buffer.from([byte]));
    raw.write(GET);
    await raw.whenText(/200 OK/);
    const whole = await open();
    whole.write(Buffer.concat([Buffer.from(v1('198.51.100.4')), Buffer.from(GET)]));
    await whole.whenText(/200 OK/);
    raw.end();
    whole.end();
  });
  await check('UNKNOWN and LOCAL: the balancer itself', async () => {
    assert.ok([200, 429].includes(await ask('PROXY UNKNOWN\r\n')));
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const local = () => ask(v2(Buffer.alloc(4), { command: 0x20 }));
    const got = await Promise.all(Array.from({ length: 5 }, local));
    assert.ok(got.includes(200) && got.includes(429), `${got}: one bucket`);
  });
  await check('what is malformed is closed without an answer, and counted', async () => {
    const before = await metric(daemon);
    const wrong = ['', 'PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n', 'PROXY TCP4 2001:db8::1 ::1 1 2\r\n', 'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n',
      `PROXY ${'x'.repeat(200)}\r\n`, v2(Buffer.alloc(4), { command: 0x31 }), v2(Buffer.alloc(4), { family: 0x21 })];
    for (const head of wrong) assert.equal(await ask(head), null, String(head));
    assert.equal(await metric(daemon), before + wrong.length);
  });
  await check('a head that does not come is waited for as long as a handshake', async () => {
    const raw = await open();
    raw.write('PROXY TC');
    await raw.whenClosed(5000);
    assert.equal(raw.text, '');
  });
  await check('nobody else is believed', async () => {
    const raw = await Raw.open(daemon.url);
    raw.write(v1('198.51.100.9') + GET);
    await raw.whenText(/400 Bad Request/);
    raw.end();
  });
  await check('connections are counted for who is named', async () => {
    const few = await start(FROM, { ENCLAVED_LIMITS_CONNECTIONS_PER_ADDRESS: '2' });
    const held = [];
    for (let i = 0; i < 4; i++) {
      const raw = await Raw.open(few.url, { localAddress: FROM });
      raw.write(v1(i < 3 ? '198.51.100.1' : '198.51.100.2'));
      raw.write('GET /info/node HTTP/1.1\r\nHost: t\r\n\r\n');
      held.push(raw);
      await (i === 2 ? raw.whenClosed() : raw.whenText(/200 OK/));
    }
    held.forEach((raw) => raw.end());
    const { code } = await few.stop();
    assert.equal(code, 0);
  });
  await check('before TLS, with HTTP/2 inside', async () => {
    const { certificate, key } = newCertificate();
    const secure = await start(FROM, { ENCLAVED_TLS_CERTIFICATE: certificate, ENCLAVED_TLS_KEY: key,
      ENCLAVED_TLS_LISTEN: '127.0.0.1:0' });
    const { address } = await until(() => secure.lines.find((line) => line.listener === 'tls'), 'tls');
    const { stdout } = await run('curl', ['-sk', '--haproxy-protocol', '--interface', FROM, '-w', '%{http_version} %{http_code}',
      '-o', '/dev/null', `https://${address}/info/node`]);
    assert.equal(stdout, '2 200');
    await secure.stop();
  });
  await check('a stop does not wait for a head', async () => {
    const raw = await open();
    raw.write('PROXY ');
    const begin = Date.now();
    const { code } = await daemon.stop();
    assert.equal(code, 0);
    assert.ok(Date.now() - begin < 1400, `${Date.now() - begin} ms`);
    raw.end();
  });
});
