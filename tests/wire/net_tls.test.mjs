#!/usr/bin/env node
// TLS: versions, ALPN, WebSocket, hostile handshakes, certificates changed while running.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { newCertificate } from './lib/certificate.mjs';
import { runSuite } from './lib/check.mjs';
import { Client } from './lib/client.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { Daemon } from './lib/process.mjs';
import { END_HEADERS, H2, Raw, frame, headers, requestBlock } from './lib/raw.mjs';
import { Socket } from './lib/socket.mjs';
import { mapWide, sleep, until } from './lib/wait.mjs';

const run = promisify(execFile);
const HANDSHAKE_MS = 1500;
const COMMITS = 40;

/** TLS whose bytes pass through our hands: below is the TCP socket, above speaks HTTP/2. */
async function tappedH2(host, port) {
  const below = net.connect({ host, port });
  const tap = new Duplex({ read() {}, write(chunk, _, done) { below.write(chunk, done); } });
  below.on('data', (chunk) => tap.push(chunk));
  below.on('close', () => tap.push(null));
  below.on('error', () => {});
  const above = tls.connect({ socket: tap, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  above.on('error', () => {});
  above.on('data', () => {});
  await new Promise((resolve) => above.on('secureConnect', resolve));
  above.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  return { below, above };
}

await runSuite(async ({ check }) => {
  const files = newCertificate('first');
  const env = {
    ENCLAVED_TLS_LISTEN: '127.0.0.1:0',
    ENCLAVED_TLS_CERTIFICATE: files.certificate,
    ENCLAVED_TLS_KEY: files.key,
    ENCLAVED_LIMITS_HANDSHAKE_TIMEOUT_MS: String(HANDSHAKE_MS),
  };
  const daemon = await Daemon.start({ env });
  const line = await until(() => daemon.lines.find((got) => got.listener === 'tls'), 'the TLS line');
  const url = `https://${line.address}`;
  const { hostname: host, port } = new URL(url);
  const client = new Client(url, daemon.client.seqPub);
  const subject = async () => {
    const raw = await Raw.open(url);
    const { CN } = raw.socket.getPeerCertificate().subject;
    raw.end();
    return CN;
  };

  await check('ALPN chooses between HTTP/2 and HTTP/1.1', async () => {
    for (const [offer, chosen] of [[['h2', 'http/1.1'], 'h2'], [['http/1.1'], 'http/1.1'],
      [['h2'], 'h2'], [undefined, false]]) {
      const raw = await Raw.open(url, { ALPNProtocols: offer });
      assert.equal(raw.socket.alpnProtocol, chosen);
      raw.end();
    }
  });
  await check('curl over both, the certificate verified', async () => {
    for (const [flag, version] of [['--http2', 'HTTP/2 200'], ['--http1.1', 'HTTP/1.1 200 OK']]) {
      const { stdout } = await run('curl', ['-si', flag, '--cacert', files.certificate,
        `https://localhost:${port}/info/node`]);
      assert.ok(stdout.startsWith(version), stdout.slice(0, 40));
    }
  });
  await check('TLS 1.2 and 1.3, nothing older', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const raw = await Raw.open(url, { minVersion: version, maxVersion: version });
      assert.equal(raw.socket.getProtocol(), version);
      raw.end();
    }
    const old = await Raw.open(url, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0' });
    assert.ok(old.error, 'TLS 1.1 must be refused');
  });
  await check('h2load over TLS, none lost', async () => {
    const { stdout } = await run('h2load', ['-n', '2000', '-c', '4', '-m', '20', `${url}/info/node`]);
    assert.match(stdout, /2000 succeeded, 0 failed, 0 errored/);
  });
  await check('WebSocket over TLS: commits, receipts, events, large frames', async () => {
    const enclave = await Enclave.create(daemon.client, wall);
    const socket = await Socket.open(client, '/', { rejectUnauthorized: false });
    const sub = socket.query('s', enclave.id, {});
    await sub.stored();
    for (let i = 0; i < COMMITS; i++) {
      socket.commit(enclave.make(enclave.owner, 'Post', 'x'.repeat(i * 6000)));
    }
    const events = await sub.live(COMMITS, 15_000);
    assert.deepEqual(events.map((frame) => frame.event.seq),
      Array.from({ length: COMMITS }, (_, i) => i + 1));
    await socket.close();
    assert.equal(socket.closed.code, 1005);
  });
  await check('clear text on the TLS port', async () => {
    const raw = await Raw.open(url.replace('https', 'http'));
    raw.write('GET / HTTP/1.1\r\nHost: t\r\n\r\n');
    await raw.whenClosed();
    assert.doesNotMatch(raw.text, /HTTP/);
  });
  await check('a handshake that does not go on is cut', async () => {
    const raw = await Raw.open(url.replace('https', 'http'));
    raw.write(Buffer.from([0x16, 3, 1]));
    await raw.whenClosed(HANDSHAKE_MS * 3);
  });
  await check('a record that does not decrypt while HTTP/2 output waits ends the connection only',
    async () => {
      const enclave = await Enclave.create(daemon.client, wall);
      await mapWide([1, 2, 3, 4], 4, () => enclave.post(enclave.owner, 'x'.repeat(200_000)));
      const query = JSON.stringify({ type: 'Query', enclave: enclave.id, content: {} });
      const { below, above } = await tappedH2(host, port);
      above.write(frame(H2.SETTINGS, 0, 0, Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff])));
      above.write(frame(H2.WINDOW_UPDATE, 0, 0, Buffer.from([0x3f, 0xff, 0xff, 0xff])));
      await sleep(100);
      below.pause();
      for (let stream = 1; stream < 160; stream += 2) {
        above.write(headers(stream, requestBlock('POST', '/'), END_HEADERS));
        above.write(frame(H2.DATA, 1, stream, Buffer.from(query)));
      }
      await sleep(1000);
      for (let i = 0; i < 50; i++) above.write(frame(H2.PING, 0, 0, Buffer.alloc(8)));
      await sleep(200);
      below.write(Buffer.concat([Buffer.from([0x17, 3, 3, 0, 32]), Buffer.alloc(32, 0xaa)]));
      await sleep(200);
      below.resume();
      await until(() => below.closed, 'the connection to end');
      assert.equal((await request('GET', daemon.url, '/info/node')).status, 200);
    });
  await check('clients that reset their connections leave nothing behind', async () => {
    const open = () => fs.readdirSync(`/proc/${daemon.child.pid}/fd`).length;
    await until(() => open() < 40, 'earlier connections to end');
    const before = open();
    for (let i = 0; i < 60; i++) {
      const below = net.connect({ host, port });
      const above = tls.connect({ socket: below, rejectUnauthorized: false,
        ALPNProtocols: [i % 2 ? 'h2' : 'http/1.1'] });
      above.on('error', () => {});
      await new Promise((resolve) => above.on('secureConnect', resolve));
      above.write(i % 2 ? 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' : 'GET / HTTP/1.1\r\n');
      await sleep(2);
      below.resetAndDestroy();
    }
    await until(() => open() <= before + 3, `descriptors to be closed, ${before} before`);
  });
  await check('SIGHUP takes a new certificate, open connections stay', async () => {
    assert.equal(await subject(), 'first');
    const kept = http2.connect(url, { rejectUnauthorized: false });
    await new Promise((resolve) => kept.on('connect', resolve));
    newCertificate('second', files.folder);
    daemon.child.kill('SIGHUP');
    await until(async () => await subject() === 'second', 'the new certificate');
    const stream = kept.request({ ':path': '/info/node' });
    const status = await new Promise((resolve) => stream.on('response', (got) =>
      resolve(got[':status'])));
    assert.equal(status, 200);
    kept.destroy();
  });
  await check('SIGHUP with a certificate that is no good keeps the old one and says why', async () => {
    fs.writeFileSync(files.certificate, 'nonsense');
    daemon.child.kill('SIGHUP');
    const said = await until(() => daemon.lines.find((got) => /not reloaded/.test(got.msg)), 'a line');
    assert.match(said.why, /certificate\.pem/);
    assert.equal(await subject(), 'second');
  });
  assert.equal((await daemon.stop()).code, 0);
});
