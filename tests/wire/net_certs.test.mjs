#!/usr/bin/env node
// Several certificates, certificates of clients, the admin listener over TLS, resumed sessions, renewal without a signal.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { newCertificate } from './lib/certificate.mjs';
import { runSuite } from './lib/check.mjs';
import { Daemon, newFolder } from './lib/process.mjs';
import { until } from './lib/wait.mjs';

const run = promisify(execFile);
const openssl = (...args) => execFileSync('openssl', args, { stdio: 'ignore' });

/** A certificate for one DNS name, in a folder of its own. */
function named(name) {
  const folder = newFolder();
  const [certificate, key] = ['certificate.pem', 'key.pem'].map((file) => path.join(folder, file));
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', key, '-out', certificate);
  return { certificate, key, folder };
}

/** A client's certificate signed by an authority that newCertificate made. */
function signedBy(authority) {
  const folder = newFolder();
  const [certificate, key, request] = ['c.pem', 'k.pem', 'r.pem'].map((file) => path.join(folder, file));
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=client', '-keyout', key,
    '-out', request);
  openssl('x509', '-req', '-in', request, '-CA', authority.certificate, '-CAkey', authority.key, '-days', '1', '-out', certificate);
  return { certificate, key };
}

/** Connect, hand over what the server showed, close. */
function connect(address, options = {}) {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host, port, rejectUnauthorized: false, ...options });
    socket.on('error', reject);
    socket.on('secureConnect', () => resolve(socket));
  });
}

async function shown(address, servername) {
  const socket = await connect(address, servername ? { servername } : {});
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}

/** The address of a TLS listener of a daemon. */
const listener = async (daemon, name) =>
  (await until(() => daemon.lines.find((line) => line.listener === name), 'the listener')).address;

const get = (url, ...args) => run('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}', ...args, url])
  .then(({ stdout }) => stdout, (error) => `refused ${error.code}`);

async function metric(daemon, name) {
  const { stdout } = await run('curl', ['-sS', `${daemon.admin}/metrics`]);
  return Number(stdout.match(new RegExp(`^${name} (\\S+)$`, 'm'))?.[1]);
}

await runSuite(async ({ check }) => {
  const first = newCertificate('first');
  const [blue, red] = [named('blue.test'), named('*.red.test')];
  const env = { ENCLAVED_TLS_LISTEN: '127.0.0.1:0', ENCLAVED_TLS_CERTIFICATE: first.certificate, ENCLAVED_TLS_KEY: first.key };

  await check('the name a client asks for chooses among the certificates', async () => {
    const daemon = await Daemon.start({ env: { ...env,
      ENCLAVED_TLS_MORE: [blue, red].map((pair) => `${pair.certificate}:${pair.key}`).join(',') } });
    const address = await listener(daemon, 'tls');
    const wanted = [[undefined, 'first'], ['localhost', 'first'], ['unknown.test', 'first'], ['blue.test', 'blue.test'],
      ['BLUE.test', 'blue.test'], ['a.red.test', '*.red.test'], ['a.b.red.test', 'first']];
    for (const [name, subject] of wanted) assert.equal(await shown(address, name), subject, name);
    const [, port] = address.split(':');
    for (const flag of ['--http1.1', '--http2'])
      assert.equal(await get(`https://blue.test:${port}/info/node`, flag, '--cacert', blue.certificate, '--resolve',
        `blue.test:${port}:127.0.0.1`), '200');
    await daemon.stop();
  });
  await check('a pair that is no good stops the start and says which', async () => {
    await assert.rejects(Daemon.start({ env: { ...env, ENCLAVED_TLS_MORE: `${blue.certificate}:${red.key}` } }), /key\.pem/);
    await assert.rejects(Daemon.start({ env: { ...env, ENCLAVED_TLS_MORE: 'nonsense' } }), /not CHAIN:KEY/);
    await assert.rejects(Daemon.start({ env: { ...env, ENCLAVED_TLS_CLIENT_CA: first.key } }), /key\.pem/);
  });
  await check('tls.client_ca: only clients with a certificate of that authority', async () => {
    const [authority, other] = [newCertificate('authority'), newCertificate('other')];
    const [good, bad] = [signedBy(authority), signedBy(other)];
    const daemon = await Daemon.start({ env: { ...env, ENCLAVED_TLS_CLIENT_CA: authority.certificate } });
    const url = `https://${await listener(daemon, 'tls')}/info/node`;
    const using = ({ certificate, key }) => ['-k', '--cert', certificate, '--key', key];
    assert.equal(await get(url, ...using(good)), '200');
    assert.match(await get(url, ...using(bad)), /refused/);
    assert.match(await get(url, '-k'), /refused/);
    assert.equal(await get(`${daemon.url}/info/node`), '200', 'the clear listener asks for none');
    await daemon.stop();
  });
  await check('the admin listener over TLS, for clients with a certificate', async () => {
    const authority = newCertificate('authority');
    const good = signedBy(authority);
    const daemon = await Daemon.start({ env: { ENCLAVED_ADMIN_TLS_CERTIFICATE: first.certificate, ENCLAVED_ADMIN_TLS_KEY: first.key,
      ENCLAVED_ADMIN_TLS_CLIENT_CA: authority.certificate } });
    const address = await listener(daemon, 'admin');
    assert.equal(await get(`https://${address}/readyz`, '-k', '--cert', good.certificate, '--key', good.key), '200');
    assert.match(await get(`https://${address}/readyz`, '-k'), /refused/);
    assert.match(await get(`http://${address}/readyz`), /refused/);
    assert.equal(await get(`${daemon.url}/info/node`), '200');
    await daemon.stop();
  });
  await check('a session is resumed by its ticket, with TLS 1.2 and 1.3', async () => {
    const daemon = await Daemon.start({ env });
    const address = await listener(daemon, 'tls');
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const options = { minVersion: version, maxVersion: version };
      const socket = await connect(address, options);
      assert.equal(socket.isSessionReused(), false);
      const session = await new Promise((resolve) => {
        socket.on('session', resolve);
        if (version === 'TLSv1.2') resolve(socket.getSession());
        socket.write('GET /info/node HTTP/1.1\r\nHost: t\r\n\r\n');
      });
      socket.destroy();
      const again = await connect(address, { ...options, session });
      assert.equal(again.isSessionReused(), true, version);
      again.destroy();
    }
    await daemon.stop();
  });
  await check('weak ciphers and old versions find nobody', async () => {
    const daemon = await Daemon.start({ env });
    const address = await listener(daemon, 'tls');
    for (const options of [{ maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:AES256-GCM-SHA384' },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }])
      await assert.rejects(connect(address, { ...options, ciphers: `${options.ciphers ?? 'ALL'}:@SECLEVEL=0` }));
    await daemon.stop();
  });
  await check('a renewed certificate comes into use by itself, and a metric tells when it ends', async () => {
    const own = newCertificate('old');
    const daemon = await Daemon.start({ env: { ...env, ENCLAVED_TLS_CERTIFICATE: own.certificate, ENCLAVED_TLS_KEY: own.key,
      ENCLAVED_TLS_RELOAD_SECONDS: '1', ENCLAVED_TLS_MORE: `${blue.certificate}:${blue.key}` } });
    const address = await listener(daemon, 'tls');
    const end = (pair) => Date.parse(execFileSync('openssl', ['x509', '-noout', '-enddate', '-in', pair.certificate]).toString()
      .replace('notAfter=', '')) / 1000;
    const name = 'enclaved_tls_certificate_expiry_timestamp_seconds';
    assert.equal(await metric(daemon, name), end(own), 'the first that ends');
    newCertificate('new', own.folder);
    await until(async () => await shown(address) === 'new', 'the new one');
    assert.equal(await metric(daemon, name), end(own));
    fs.writeFileSync(own.key, 'nonsense');
    await until(() => daemon.lines.some((line) => /not reloaded/.test(line.msg)), 'a line');
    assert.equal(await shown(address), 'new');
    await daemon.stop();
    const clear = await Daemon.start();
    assert.equal(await metric(clear, name), 0);
    await clear.stop();
  });
});
