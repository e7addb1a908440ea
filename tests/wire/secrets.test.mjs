#!/usr/bin/env node
// Where the node's secrets are: nowhere but in one locked page. The memory of the process is searched, and all it writes.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { fromHex, toHex, utf8 } from './lib/bytes.mjs';
import { newCertificate } from './lib/certificate.mjs';
import { runSuite } from './lib/check.mjs';
import { sessionOf } from './lib/client.mjs';
import { assertOk } from './lib/errors.mjs';
import { eventHash } from './lib/event.mjs';
import { Enclave } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import * as keys from './lib/keys.mjs';
import { formsOfBytes, formsOfScalar, mappingsOf, search, searchIn } from './lib/memory.mjs';
import { Daemon, PROGRAM, newFolder } from './lib/process.mjs';
import { Receiver, openPush } from './lib/receiver.mjs';
import { pushKey } from './lib/seal.mjs';
import { makeSession, signerChannel, signerKey } from './lib/session.mjs';
import { Socket } from './lib/socket.mjs';
import { until } from './lib/wait.mjs';

const ROUNDS = 20;
const SETTLE_MS = 5000;
const HAS_GCORE = spawnSync('gcore', ['-h']).error === undefined;

const node = keys.newKey();
const nodeForms = formsOfScalar('node key', node.priv);
const receipts = [];
const closed = []; /* [name, key] of what must be forgotten */
const answers = [];

/** The nonce of the node's signature: whoever has it has the key. */
function nonceOf({ seq_sig: sig }, digest) {
  const r = fromHex(sig.slice(0, 64), 32);
  const e = keys.challenge(r, node.pub, digest);
  const nonce = keys.scalarBytes(BigInt(`0x${sig.slice(64)}`) - e * keys.evenScalar(node.priv));
  assert.equal(toHex(keys.xOf(keys.G.multiply(keys.scalar(nonce)))), toHex(r));
  return nonce;
}

const nonceForms = () => receipts.flatMap((receipt, i) =>
  formsOfScalar(`nonce ${i}`, nonceOf(receipt, eventHash(receipt))));

const show = (hits) => hits.map(({ what, at, mapping }) =>
  `${what} at ${at.toString(16)} in ${mapping?.path || 'a nameless mapping'}`).join('\n');

const isVault = ({ flags }) => flags.includes('dd') && flags.includes('lo');
const outside = (hits) => hits.filter(({ mapping }) => !isVault(mapping));

const assertNowhere = (hits) => assert.equal(show(hits), '');

/** The vault alone has the key; nobody has anything else. Threads at work are given time to come to rest. */
async function assertKept(pid, more = []) {
  const needles = [...nodeForms, ...nonceForms(),
    ...closed.flatMap(([name, key]) => formsOfBytes(name, key)), ...more];
  let hits;
  await until(() => outside(hits = search(pid, needles)).length === 0, 'secrets to be gone', SETTLE_MS)
    .catch(() => assertNowhere(outside(hits)));
  assert.ok(hits.some(({ what }) => what === 'node key, front'), 'the search finds what is there');
  assert.ok(hits.every(({ what }) => what.startsWith('node key,')), show(hits));
}

/** Everything the node does with its key: events, heads, answers and commits under a seal, pushes, sockets, SSE. */
async function work({ client, admin }, receiver) {
  const keep = (answer) => answers.push(JSON.stringify(answer));
  const enclave = await Enclave.create(client);
  const hook = keys.newKey();
  const path = `/hook/${enclave.id}`;
  await enclave.add(enclave.owner, 'Grant_Push',
    { identity: hook.pub, role: 'Sink', endpoint: receiver.url(path) });
  const member = await enclave.newHolder('Member');
  const sessions = [makeSession(member), sessionOf(member)];
  const socket = await Socket.open(client);
  socket.query('s', enclave.id, {}, { as: member, session: sessions[0] });
  for (let i = 0; i < ROUNDS; i++) {
    receipts.push(await client.accept(enclave.make(member, 'Post', `round ${i}`)));
    keep(await client.query(enclave.id, {}, { as: member, session: sessions[0] }));
    keep(await client.sth(enclave.id));
  }
  keep(assertOk(await client.commitSealed(enclave.make(member, 'Post', 'sealed'), member)));
  keep(await client.prove('state', enclave.id, { namespace: 'rbac', key: member.pub }, { as: member }));
  for (const of of ['/info/node', `/enclave/${enclave.id}/info/enclave`, '/registry/nodes', '/enclave/zz']) {
    keep(await client.get(of));
  }
  for (const of of ['/metrics', '/healthz', '/readyz', '/log/levels']) keep(await request('GET', admin, of));
  await until(() => receiver.on(path).some(({ payload }) =>
    openPush(payload, hook, client.seqPub).push.some(({ seq }) => seq >= ROUNDS)), 'pushes', 15_000);
  await socket.close();
  for (const session of sessions) {
    const { query, response } = signerChannel(session, client.seqPub, enclave.id);
    const signer = signerKey(session, client.seqPub, enclave.id);
    closed.push(['query key', query], ['response key', response],
      ['shared secret', keys.ecdhX(signer.priv, client.seqPub)]);
  }
  closed.push(['push key', pushKey(hook.priv, client.seqPub)],
    ['shared secret of pushes', keys.ecdhX(hook.priv, client.seqPub)]);
}

/* ---- TLS ---- */

const scalarOf = (file) => Buffer.from(createPrivateKey(fs.readFileSync(file))
  .export({ format: 'jwk' }).d, 'base64url');

const formsOfTls = (name, file) => {
  const d = scalarOf(file);
  return [...formsOfBytes(name, d), ...formsOfBytes(`${name} in limbs`, Buffer.from(d).reverse())];
};

/** What the file has of the scalar, as text and decoded: the end of its first line, the beginning of its second. */
function textOfTls(name, file) {
  const [, first, second] = fs.readFileSync(file, 'latin1').split('\n');
  const parts = { 'line 1': first.slice(-16), 'line 2': second.slice(0, 24) };
  return Object.entries(parts).flatMap(([what, text]) => [
    { what: `${name}, ${what}`, bytes: Buffer.from(text) },
    { what: `${name}, ${what} decoded`, bytes: Buffer.from(text, 'base64') }]);
}

function shake(url) {
  const { hostname: host, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host, port, rejectUnauthorized: false }, () => {
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      resolve(fingerprint256);
    });
    socket.on('error', reject);
  });
}

/* ---- the checks ---- */

const skipped = process.getuid() !== 0 ? 'only root reads the memory of a sealed process'
  : fs.readFileSync(PROGRAM).includes('__asan_init') ? 'a sanitizer keeps what was freed' : null;

await runSuite(async ({ check, skip }) => {
  if (skipped) return skip('secrets in memory', skipped);
  const receiver = await Receiver.start();
  const keyFile = path.join(newFolder(), 'key');
  fs.writeFileSync(keyFile, `${toHex(node.priv)}\n`, { mode: 0o600 });
  const pair = newCertificate();
  const args = ['--key-file', keyFile];
  const env = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true',
    ENCLAVED_LOG_LEVEL: 'debug', ENCLAVED_LOG_ACCESS_SAMPLE: '1', ENCLAVED_LOG_ADDRESSES: 'true',
    ENCLAVED_TLS_LISTEN: '127.0.0.1:0', ENCLAVED_TLS_CERTIFICATE: pair.certificate,
    ENCLAVED_TLS_KEY: pair.key };
  const daemon = new Daemon({ args, env });
  await daemon.start();
  const { pid } = daemon.child;
  const lines = (msg) => daemon.lines.filter((line) => line.msg === msg);
  const reload = async () => {
    const before = lines('configuration reloaded').length;
    daemon.child.kill('SIGHUP');
    await until(() => lines('configuration reloaded').length > before, 'the reload');
  };

  await check('the search finds every form of a planted secret, and halves of it', () => {
    const limbs = Buffer.from(node.priv).reverse();
    for (const planted of [Buffer.from(node.priv), limbs, utf8(toHex(node.priv)), Buffer.from(node.priv).subarray(0, 16),
      Buffer.from(node.priv).swap32().subarray(16), utf8(toHex(node.priv).toUpperCase().slice(32)),
      Buffer.from(keys.scalarBytes(-keys.scalar(node.priv))).reverse()]) {
      assert.ok(searchIn(Buffer.concat([Buffer.alloc(77, 1), planted, Buffer.alloc(9)]), nodeForms).length > 0);
    }
  });
  await check('the key lies in one page that is locked, not dumped, not forked, read-only, between walls', () => {
    const all = mappingsOf(pid);
    const at = all.findIndex(isVault);
    const vault = all[at];
    assert.equal(all.filter(isVault).length, 1);
    assert.equal(vault.mode, 'r--p');
    assert.equal(vault.to - vault.from, 4096);
    for (const flag of ['lo', 'dd', 'wf']) assert.ok(vault.flags.includes(flag), flag);
    for (const wall of [all[at - 1], all[at + 1]]) assert.equal(wall.mode, '---p');
    assert.deepEqual([all[at - 1].to, all[at + 1].from], [vault.from, vault.to]);
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    assert.match(status, /VmLck:\s+[1-9]/);
  });
  await check('after much work: no copy of the key, no nonce, no key of a channel that closed', async () => {
    await work(daemon, receiver);
    await assertKept(pid);
  }, 60_000);
  await check('the text of the TLS key is forgotten once it is read', async () => {
    await shake(`https://${lines('listening').find(({ listener }) => listener === 'tls').address}`);
    assertNowhere(search(pid, textOfTls('TLS key', pair.key)));
  });
  await check('reload: the former TLS key is forgotten', async () => {
    const former = path.join(newFolder(), 'former.pem');
    fs.copyFileSync(pair.key, former);
    newCertificate('other', pair.folder);
    const address = `https://${lines('listening').find(({ listener }) => listener === 'tls').address}`;
    const before = await shake(address);
    await reload();
    await until(async () => await shake(address) !== before, 'the new certificate');
    assert.ok(search(pid, formsOfTls('TLS key', pair.key)).length > 0, 'the key in use is found');
    await assertKept(pid, [...formsOfTls('former TLS key', former), ...textOfTls('former TLS key', former)]);
  }, 60_000);
  if (!HAS_GCORE) skip('a core that root takes has no key', 'no gcore here');
  else await check('a core that root takes has no key', () => {
    const folder = newFolder();
    execFileSync('gcore', ['-o', path.join(folder, 'core'), String(pid)], { stdio: 'ignore' });
    const core = fs.readFileSync(path.join(folder, `core.${pid}`));
    assert.ok(core.length > 1e6 && core.includes(Buffer.from(node.pub, 'hex')), 'it is a core of the node');
    assertNowhere(searchIn(core, nodeForms));
  }, 60_000);
  await check('handover: the successor keeps it as its predecessor did', async () => {
    const listening = lines('listening').length;
    daemon.child.kill('SIGUSR2');
    const [{ pid: successor }] = await until(() => lines('successor started').length && lines('successor started'), 'a successor');
    try {
      await daemon.exited;
      await until(() => lines('listening').length >= listening + 3, 'it listens');
      await work(daemon, receiver);
      await assertKept(successor);
    } finally {
      process.kill(successor, 'SIGTERM');
    }
    await until(() => lines('stopped').length >= 2, 'its end', 15_000);
  }, 60_000);
  await check('no line of the log and no answer, metric or push has a secret', () => {
    const needles = [...nodeForms, ...nonceForms(), ...closed.flatMap(([name, key]) => formsOfBytes(name, key)),
      ...textOfTls('TLS key', pair.key)];
    const told = [...daemon.lines.map((line) => JSON.stringify(line)), ...answers, ...receiver.requests.map(({ text }) => text)];
    assert.ok(told.length > 100 && told.join().includes(node.pub));
    assertNowhere(searchIn(Buffer.from(told.join('\n')), needles));
  });
  await check('nothing that is printed and nothing in the data directory has a secret', () => {
    const told = ['--print-config', '--check-config', '--version', '--help'].map((flag) => {
      const { stdout, stderr } = spawnSync(PROGRAM, [...args, flag], { env: { ...process.env, ...env } });
      return Buffer.concat([stdout, stderr]);
    });
    const files = fs.readdirSync(daemon.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .map((entry) => fs.readFileSync(path.join(entry.parentPath ?? entry.path, entry.name)));
    assert.ok(files.length > 1);
    for (const bytes of [...told, ...files]) assertNowhere(searchIn(bytes, nodeForms));
  });
  await check('a fault in the key file is told without the key', () => {
    const bad = path.join(newFolder(), 'key');
    fs.writeFileSync(bad, `${toHex(node.priv)}0\n`, { mode: 0o600 });
    const { status, stderr } = spawnSync(PROGRAM, ['--data', newFolder(), '--key-file', bad,
      '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']);
    assert.equal(status, 1);
    assert.match(String(stderr), /not 64 hex digits/);
    assertNowhere(searchIn(stderr, nodeForms));
  });
  await check('a crash leaves no core, whatever the limit of its parent was', async () => {
    const folder = newFolder();
    const cores = () => fs.readdirSync(folder).filter((name) => name.startsWith('core'));
    const crash = (line) => spawnSync('sh', ['-c', `ulimit -c unlimited; cd ${folder}; ${line}`]);
    crash('kill -ABRT $$');
    const writes = cores().length; /* where cores go to a file here at all */
    const { status, stderr } = crash(`${PROGRAM} ${args.join(' ')} --data ${newFolder()} --listen 127.0.0.1:0 --admin 127.0.0.1:0 &
      sleep 1; cat /proc/$!/limits >&2; kill -SEGV $!; wait $!`);
    assert.equal(status, 139, String(stderr));
    assert.equal(cores().length, writes);
    assert.match(String(stderr), /Max core file size +0 +0 /);
    assertNowhere(searchIn(stderr, nodeForms));
  });
  await check('encctl tells the public half only', () => {
    const encctl = path.join(path.dirname(PROGRAM), 'encctl');
    const { stdout, stderr, status } = spawnSync(encctl, ['--key', keyFile, '--json', 'pubkey']);
    assert.equal(status, 0);
    assert.match(String(stdout), new RegExp(node.pub));
    assertNowhere(searchIn(Buffer.concat([stdout, stderr]), nodeForms));
  });
  await receiver.stop();
});
