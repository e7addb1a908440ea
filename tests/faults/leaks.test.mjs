#!/usr/bin/env node
// A daemon under AddressSanitizer ends without a leak after something of everything: four services, HTTP/1.1, HTTP/2,
// TLS, WebSocket, server-sent events, pushes, bundle timers, a reload, a rolling restart.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { newCertificate } from '../wire/lib/certificate.mjs';
import { runSuite } from '../wire/lib/check.mjs';
import { makeCommit } from '../wire/lib/commit.mjs';
import { assertOk } from '../wire/lib/errors.mjs';
import { Enclave, wall } from '../wire/lib/fixtures.mjs';
import { newKey } from '../wire/lib/keys.mjs';
import { Daemon, PROGRAM, newFolder } from '../wire/lib/process.mjs';
import { Raw } from '../wire/lib/raw.mjs';
import { Receiver } from '../wire/lib/receiver.mjs';
import { NO_ENCLAVE, clearProof, makeSession } from '../wire/lib/session.mjs';
import { Socket } from '../wire/lib/socket.mjs';
import { until } from '../wire/lib/wait.mjs';

const SUPPRESSIONS = fileURLToPath(new URL('../lsan.supp', import.meta.url));
const isInstrumented = /libasan|libclang_rt/.test(execFileSync('ldd', [PROGRAM], { encoding: 'utf8' }));

async function overH2(url) {
  const session = http2.connect(url, { rejectUnauthorized: false });
  const statuses = await Promise.all(Array.from({ length: 5 }, () => new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/info/node' });
    stream.on('response', (head) => resolve(head[':status'])).on('error', reject).resume();
  })));
  session.close();
  assert.deepEqual(statuses, [200, 200, 200, 200, 200]);
}

/** Something of every service and every way in. */
async function visit(daemon, secure, receiver) {
  const { client } = daemon;
  const enclave = await Enclave.create(client, wall, { bundle: { size: 100, timeout: 300 } });
  const socket = await Socket.open(client);
  const sub = socket.query('s', enclave.id, {});
  const sealed = socket.query('t', enclave.id, {}, { as: newKey() });
  await Promise.all([sub.stored(), sealed.stored()]);
  const stream = await Raw.open(daemon.url);
  stream.write(`GET /enclave/${enclave.id}/events HTTP/1.1\r\nHost: t\r\nAccept: text/event-stream\r\n\r\n`);
  await stream.whenText(/EOSE/);
  for (let i = 0; i < 5; i++) await enclave.post(enclave.owner);
  await Promise.all([sub.live(5), sealed.live(5)]);
  await until(async () => (await client.sth(enclave.id)).ts > 0, 'the timer of the bundle');
  await overH2(secure);
  await overH2(daemon.url);
  (await Raw.open(secure)).write('GET /info/node HTTP/1.1\r\nHost: t\r\n\r\n').end();

  const pushing = await Enclave.create(client);
  const hook = `/${receiver.requests.length}`;
  receiver.statuses = [200, 500];
  await pushing.add(pushing.owner, 'Grant_Push', { identity: newKey().pub, role: 'Sink', endpoint: receiver.url(hook) });
  await pushing.add(pushing.owner, 'Gate', { event: 'Note', open: false });
  await receiver.first(3, hook);
  await pushing.add(pushing.owner, 'Terminate', '');

  const [alice, bob] = [newKey(), newKey()];
  assertOk(await client.get('/registry/nodes'));
  const { json: { enclave: registry } } = await client.get('/registry/info/enclave');
  assertOk(await client.post('/registry', makeCommit(alice, registry, 'Reg_Identity', { display_name: 'Al', bio: '', enclaves: {} })));
  const { json: { enclave: timeline } } = await client.post('/timeline/_bootstrap', { owner: alice.pub });
  assertOk(await client.post(`/timeline/enclave/${timeline}`, makeCommit(alice, timeline, 'Post', { text: 'hello' })));
  assertOk(await client.get(`/timeline/enclave/${timeline}/posts`));
  const group = await client.post('/chat/api/create-group', { creator: alice.pub, name: 'n', members: [bob.pub],
    ...clearProof(makeSession(alice), client.seqPub, NO_ENCLAVE) });
  assert.equal(group.status, 201);
  socket.close();
  stream.end();
}

await runSuite(async ({ check, skip }) => {
  if (!isInstrumented) return skip('leaks', 'this build is without AddressSanitizer');
  await check('no leak after all of it, of the daemon and of its successor', async () => {
    const reports = newFolder();
    const files = newCertificate('leaks');
    const config = path.join(newFolder(), 'enclaved.yaml');
    fs.writeFileSync(config, 'log_level: info\n');
    const receiver = await Receiver.start();
    const daemon = await Daemon.start({ args: ['--config', config], env: {
      ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true', ENCLAVED_BOOTSTRAP_OPEN: 'true',
      ENCLAVED_TLS_LISTEN: '127.0.0.1:0', ENCLAVED_TLS_CERTIFICATE: files.certificate, ENCLAVED_TLS_KEY: files.key,
      ENCLAVED_LIMITS_IDLE_MS: '200',
      ASAN_OPTIONS: `detect_leaks=1:log_path=${path.join(reports, 'asan')}`,
      LSAN_OPTIONS: `suppressions=${SUPPRESSIONS}:print_suppressions=0:exitcode=23` } });
    const tls = () => daemon.lines.filter((line) => line.listener === 'tls').at(-1);
    const secure = `https://${(await until(tls, 'TLS')).address}`;
    await visit(daemon, secure, receiver);
    daemon.child.kill('SIGHUP');
    await until(() => daemon.lines.some((line) => line.msg === 'configuration reloaded'), 'the reload');
    await visit(daemon, secure, receiver);
    daemon.child.kill('SIGUSR2');
    const { pid } = await until(() => daemon.lines.find((line) => line.msg === 'successor started'), 'a successor', 20_000);
    assert.deepEqual(await daemon.exited, { code: 0, signal: null }, 'the predecessor');
    await until(() => daemon.lines.filter((line) => line.msg === 'listening').length >= 6, 'the successor', 20_000);
    await visit(daemon, secure, receiver);
    process.kill(pid, 'SIGTERM');
    await until(() => !fs.existsSync(`/proc/${pid}`), 'the successor to end', 20_000);
    await receiver.stop();
    const said = fs.readdirSync(reports).map((name) => fs.readFileSync(path.join(reports, name), 'utf8'));
    assert.deepEqual(said, []);
  }, 60_000);
});
