#!/usr/bin/env node
// Outbound POSTs: certificates, addresses after the lookup, receivers that stall, pour, or vanish (protocol.md 10).

import assert from 'node:assert/strict';
import dns from 'node:dns/promises';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import { newCertificate } from './lib/certificate.mjs';
import { runSuite } from './lib/check.mjs';
import { Enclave, forum } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { until } from './lib/wait.mjs';

const OPEN = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true' };
const TIMEOUT_MS = 1000;

/** A server on a free port; every request is counted, then answered by answer. */
async function serve(answer, { tls, host = '127.0.0.1' } = {}) {
  const seen = [];
  const take = (call, response) => {
    seen.push(call.url);
    call.resume();
    call.on('end', () => answer(response, call));
  };
  const server = tls ? https.createServer(tls, take) : http.createServer(take);
  await new Promise((resolve) => server.listen(0, host, resolve));
  const stop = () => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(resolve);
  });
  return { seen, port: server.address().port, stop };
}

const ok = (response) => response.writeHead(204).end();

/** A daemon with an enclave that pushes every event to each of the URLs. */
async function pushing(env, urls) {
  const daemon = await Daemon.start({ env });
  const enclave = await Enclave.create(daemon.client, forum);
  for (const endpoint of urls) {
    await enclave.add(enclave.owner, 'Grant_Push', { identity: newKey().pub, role: 'Sink', endpoint });
  }
  const results = async (result) => {
    const { text } = await request('GET', daemon.admin, '/metrics');
    return Number(text.match(new RegExp(`^enclaved_push_posts_total\\{result="${result}"\\} (\\d+)$`,
      'm'))[1]);
  };
  return { daemon, enclave, results };
}

const stopped = async (daemon) => assert.deepEqual(await daemon.stop(), { code: 0, signal: null });

await runSuite(async ({ check, skip }) => {
  const mine = newCertificate('mine');
  const other = newCertificate('other');
  const tlsOf = ({ certificate, key }) => ({ cert: fs.readFileSync(certificate),
    key: fs.readFileSync(key) });

  await check('https: a trusted certificate is served, another and a wrong name are not', async () => {
    const good = await serve(ok, { tls: tlsOf(mine), host: '0.0.0.0' });
    const bad = await serve(ok, { tls: tlsOf(other) });
    const { daemon, results } = await pushing({ ...OPEN, ENCLAVED_PUSH_CA_FILE: mine.certificate },
      [`https://localhost:${good.port}/good`, `https://localhost:${bad.port}/bad`,
        `https://127.0.0.2:${good.port}/elsewhere`]);
    await until(async () => await results('accepted') >= 1 && await results('no_answer') >= 2,
      'three results');
    assert.ok(good.seen.every((path) => path === '/good') && good.seen.length >= 1);
    assert.deepEqual(bad.seen, []);
    await stopped(daemon);
    await Promise.all([good.stop(), bad.stop()]);
  });
  const address = (await dns.lookup(os.hostname()).catch(() => null))?.address;
  const reach = address && /^(127|10|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(address);
  const barred = 'a host name with a private address is accepted, but never called';
  if (!reach) skip(barred, `${os.hostname()} has no private IPv4 address`);
  else {
    await check(barred, async () => {
      const receiver = await serve(ok, { host: '0.0.0.0' });
      const url = `http://${os.hostname()}:${receiver.port}/inside`;
      const { daemon, results } = await pushing({ ENCLAVED_PUSH_ALLOW_HTTP: 'true' }, [url]);
      await until(async () => await results('address_barred') >= 1, 'a barred POST');
      assert.deepEqual(receiver.seen, []);
      await stopped(daemon);
      const opened = await pushing(OPEN, [url]);
      await until(() => receiver.seen.length >= 1, 'the POST when it is allowed');
      await stopped(opened.daemon);
      await receiver.stop();
    });
  }
  await check('a receiver that never answers is given up, others are not held up', async () => {
    const stuck = await serve(() => {});
    const quick = await serve(ok);
    const { daemon, results } = await pushing(
      { ...OPEN, ENCLAVED_LIMITS_PUSH_TIMEOUT_MS: String(TIMEOUT_MS) },
      [`http://127.0.0.1:${stuck.port}/stuck`, `http://127.0.0.1:${quick.port}/quick`]);
    const begun = Date.now();
    await until(async () => await results('no_answer') >= 1, 'the end of the wait', TIMEOUT_MS * 5);
    assert.ok(quick.seen.length >= 1);
    assert.ok(Date.now() - begun < TIMEOUT_MS * 4);
    await stopped(daemon);
    await Promise.all([stuck.stop(), quick.stop()]);
  });
  await check('an endless answer is cut and its status counts', async () => {
    let poured = 0;
    const hose = await serve((response) => {
      response.writeHead(200);
      const pour = () => {
        while (!response.destroyed && poured < 1 << 26 && response.write('x'.repeat(65536))) {
          poured += 65536;
        }
      };
      response.on('drain', pour);
      pour();
    });
    const { daemon, results } = await pushing(OPEN, [`http://127.0.0.1:${hose.port}/hose`]);
    await until(async () => await results('accepted') >= 1, 'the status');
    assert.ok(poured < 1 << 24, `${poured} bytes were taken`);
    await stopped(daemon);
    await hose.stop();
  });
  await check('a redirect is an answer, not a way', async () => {
    const target = await serve(ok);
    const here = await serve((response) => response.writeHead(307,
      { location: `http://127.0.0.1:${target.port}/there` }).end());
    const { daemon, results } = await pushing(OPEN, [`http://127.0.0.1:${here.port}/here`]);
    await until(async () => await results('refused') >= 1, 'the answer');
    assert.deepEqual(target.seen, []);
    await stopped(daemon);
    await Promise.all([here.stop(), target.stop()]);
  });
  await check('receivers that close, refuse, or talk nonsense', async () => {
    const rude = await serve((response) => response.socket.destroy());
    const odd = await serve((response) => response.socket.end('SSH-2.0-nonsense\r\n\r\n'));
    const { daemon, results } = await pushing(OPEN, [`http://127.0.0.1:${rude.port}/`,
      `http://127.0.0.1:${odd.port}/`, 'http://127.0.0.1:1/', 'http://nowhere.invalid/']);
    await until(async () => await results('no_answer') >= 4, 'four failures');
    await stopped(daemon);
    await Promise.all([rude.stop(), odd.stop()]);
  });
  await check('a proxy in the environment is not asked', async () => {
    const proxy = await serve(ok);
    const receiver = await serve(ok);
    const { daemon, results } = await pushing({ ...OPEN,
      http_proxy: `http://127.0.0.1:${proxy.port}`, ALL_PROXY: `http://127.0.0.1:${proxy.port}` },
    [`http://127.0.0.1:${receiver.port}/direct`]);
    await until(async () => await results('accepted') >= 1, 'the POST');
    assert.deepEqual(proxy.seen, []);
    await stopped(daemon);
    await Promise.all([proxy.stop(), receiver.stop()]);
  });
  await check('a stop does not wait for receivers, and the next start goes on', async () => {
    const stuck = await serve(() => {});
    const { daemon } = await pushing(OPEN, [`http://127.0.0.1:${stuck.port}/stuck`]);
    await until(() => stuck.seen.length >= 1, 'the POST');
    const begun = Date.now();
    await stopped(daemon);
    assert.ok(Date.now() - begun < 4000);
    const before = stuck.seen.length;
    await daemon.start();
    await until(() => stuck.seen.length > before, 'the POST again', 10_000);
    await stopped(daemon);
    await stuck.stop();
  }, 30_000);
});
