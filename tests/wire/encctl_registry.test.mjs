#!/usr/bin/env node
// encctl register and resolve at real nodes: identity -> enclaves -> node end to end, and registries
// that lie (protocol.md 11.3).

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { runSuite } from './lib/check.mjs';
import { makeCommit, makeManifest, nonce } from './lib/commit.mjs';
import { encctl, liar } from './lib/encctl.mjs';
import { assertOk } from './lib/errors.mjs';
import { eventFault } from './lib/event.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon, newFolder } from './lib/process.mjs';

await runSuite(async ({ check }) => {
  const [first, second] = [await Daemon.start(), await Daemon.start()];
  const registry = `${first.url}/registry`;
  const folder = newFolder();
  const file = (name, text) => {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    return path.join(folder, name);
  };
  const key = path.join(folder, 'key');
  assert.equal((await encctl(registry, 'keygen', key)).code, 0);
  const pub = (await encctl(registry, '--key', key, 'pubkey')).out.match(/[0-9a-f]{64}/)[0];
  const nodeKey = (daemon) => path.join(daemon.data, 'node.key');
  const must = async (...words) => {
    const done = await encctl(registry, '--json', ...words);
    assert.equal(done.code, 0, `${words.join(' ')}: ${done.err}`);
    return done.lines;
  };
  const refused = async (pattern, code, url, ...words) => {
    const done = await encctl(url, ...words);
    assert.equal(done.code, code, done.err);
    assert.match(done.err, pattern);
  };
  const create = async (url, author = key, owner = pub) => {
    const manifest = file('manifest', JSON.stringify({ enc_v: 1, RBAC: { roles: [], schema: [],
      initial_state: { Owner: [owner] } }, meta: { nonce: nonce() } }));
    return (await encctl(url, '--key', author, '--json', 'create', '--manifest', manifest))
      .lines[0].enclave;
  };
  const here = await create(first.url);
  const there = await create(second.url);
  const stranger = newKey();
  const strangers = file('stranger', Buffer.from(stranger.priv).toString('hex'));
  const others = await create(first.url, strangers, stranger.pub);

  await check('register node: the node key registers its endpoints in their order', async () => {
    const uris = [`${second.url}/`, 'https://b.example', 'wss://b.example'];
    const [receipt] = await must('--key', nodeKey(second), 'register', 'node', ...uris);
    const row = (await first.client.get(`/registry/nodes/${second.client.seqPub}`)).json;
    assert.deepEqual(row, { seq_pub: second.client.seqPub, enc_v: 1,
      endpoints: uris.map((uri, priority) => ({ uri, priority })),
      protocols: ['http', 'https', 'wss'], from_pub: second.client.seqPub,
      registered_at: receipt.timestamp });
  });
  await check('register enclave: from the node above the registry, or another', async () => {
    await must('--key', key, 'register', 'enclave', here);
    await must('--key', strangers, 'register', 'enclave', others);
    await must('--key', key, 'register', 'enclave', there, '--node', `${second.url}/`, '--app', 'x');
    const row = (await first.client.get(`/registry/enclaves/${there}`)).json;
    assert.deepEqual([row.node_pub, row.app], [second.client.seqPub, 'x']);
    assert.equal(eventFault(row.manifest, second.client.seqPub), null);
  });
  await check('register identity: name, picture, words and enclaves', async () => {
    await must('--key', key, 'register', 'identity', 'Änne\x1b[1m', `personal=${there}`,
      `lost=${pub}`, '--bio', 'b', '--avatar', 'a');
    const row = (await first.client.get(`/registry/identities/${pub}`)).json;
    assert.deepEqual([row.display_name, row.bio, row.avatar], ['Änne\x1b[1m', 'b', 'a']);
    assert.deepEqual(row.enclaves.slice(2), [{ name: 'personal', enclave_id: there },
      { name: 'lost', enclave_id: pub }]);
  });
  await check('resolve: from an identity to its enclaves and their nodes', async () => {
    const [identity, ...enclaves] = await must('resolve', pub);
    assert.deepEqual([identity.type, identity.registration], ['identity', 'signed']);
    assert.deepEqual(enclaves.map((line) => line.enclave.enclave_id), [here, there, there]);
    assert.deepEqual(enclaves.map((line) => line.registration),
      ['not registered', 'signed', 'signed']);
    assert.equal(enclaves[1].node.endpoints[0].uri, `${second.url}/`);
    assert.ok(enclaves.every((line) => line.manifest === 'verified'));
  });
  await check('resolve for people: no control characters of others', async () => {
    const done = await encctl(registry, 'resolve', pub);
    assert.equal(done.code, 0, done.err);
    for (const text of ['Änne [1m', second.url, here, `not registered ${pub}`]) {
      assert.ok(done.out.includes(text), done.out);
    }
    assert.ok(!done.out.includes('\x1b'));
  });
  await check('resolve --ask goes to the node, and finds the enclave there', async () => {
    const [line] = await must('resolve', there, '--ask');
    assert.deepEqual([line.type, line.registration], ['enclave', 'signed, asked']);
    await refused(/no such identity or enclave/, 1, registry, 'resolve', newKey().pub);
    await refused(/no registry/, 1, `${first.url}/chat`, 'resolve', there);
  });
  await check('resolve --ask: somebody else at the endpoint is told', async () => {
    await must('--key', nodeKey(second), 'register', 'node', first.url);
    await refused(/does not show this enclave/, 1, registry, 'resolve', there, '--ask');
    await must('--key', nodeKey(second), 'register', 'node', 'wss://b.example');
    await refused(/no http endpoint/, 1, registry, 'resolve', there, '--ask');
    await must('resolve', there);
    await must('--key', nodeKey(second), 'register', 'node', second.url);
    await must('resolve', there, '--ask');
  });
  await check('resolve: all enclaves of an identity, more than a page of them', async () => {
    const many = newKey();
    const register = (type, content) => first.client.post('/registry',
      makeCommit(many, registryId, type, content));
    const registryId = (await first.client.get('/registry/info/enclave')).json.enclave;
    assertOk(await register('Reg_Identity', { display_name: 'many' }));
    const made = [];
    for (let i = 0; i < 103; i++) {
      const manifest = makeManifest(many, { enc_v: 1, RBAC: { roles: [], schema: [],
        initial_state: { Owner: [many.pub] } }, meta: { i } });
      assertOk(await first.client.post('/', manifest));
      const shown = await first.client.get(`/enclave/${manifest.enclave}/info/manifest`);
      assertOk(await register('Reg_Enclave', { manifest: shown.json,
        node_pub: first.client.seqPub }));
      made.push(manifest.enclave);
    }
    const [, ...enclaves] = await must('resolve', many.pub);
    assert.deepEqual(enclaves.map((line) => line.enclave.enclave_id).sort(), made.sort());
  });
  await check('resolve: a registry that lies is found out', async () => {
    const flip = (hex) => hex.slice(0, -1) + (hex.endsWith('0') ? '1' : '0');
    const lies = [
      ['/resolve/', /manifest/, (json) => (json.enclave.manifest.seq_sig =
        flip(json.enclave.manifest.seq_sig))],
      ['/resolve/', /manifest/, (json) => (json.enclave.manifest.content += ' ')],
      ['/resolve/', /nobody who may has signed/, (json) => (json.enclave.node_pub = pub)],
      ['/resolve/', /nobody who may has signed/, (json) =>
        (json.enclave.node_pub = json.node.seq_pub = pub)],
      ['/resolve/', /row is not about it/, (json) => (json.enclave.enclave_id = here)],
      ['/resolve/', /not the sequencer/, (json) => (json.node.seq_pub = pub)],
      ['/resolve/', /not those it signed/, (json) => (json.node.endpoints[0].uri += 'x')],
      ['/resolve/', /not those it signed/, (json) => (json.node.endpoints[0].priority = 9)],
      ['/resolve/', /not those it signed/, (json) => json.node.endpoints.pop()],
      ['/enclave/', /not what its author signed/, (json) => json.content.events?.forEach(
        (element) => (element.event.sig = flip(element.event.sig)))],
      ['/identities/', /not what it signed/, (json) => (json.bio = 'c')],
      ['/identities/', /not what it signed/, (json) => (json.avatar = null)],
      ['/identities/', /not what it signed/, (json) => (json.display_name = 'X')],
      ['/identities/', /row is not about it/, (json) => (json.pub_key = there)],
      ['/identities/', /are not those it signed/, (json) =>
        (json.enclaves.find(({ name }) => name === 'personal').enclave_id = here)],
      ['/identities/', /are not those it signed/, (json) => json.enclaves.pop()],
      ['/identities/', /are not those it signed/, (json) =>
        json.enclaves.push({ name: 'more', enclave_id: here })],
      ['/identities/', /not of this identity/, (json) =>
        json.enclaves.unshift({ enclave_id: others })],
      ['/identities/', /no id/, (json) => (json.enclaves[0].enclave_id = 7)],
    ];
    for (const [where, pattern, lie] of lies) {
      const proxy = await liar(first.url, (json, at) => void (at.includes(where) && lie(json)));
      const id = where === '/identities/' ? pub : there;
      await refused(pattern, 1, `${proxy.url}/registry`, 'resolve', id);
      proxy.close();
    }
  });
  await check('register: refusals of the registry and of the node', async () => {
    await refused(/UNAUTHORIZED/, 1, registry, '--key', file('other',
      Buffer.from(newKey().priv).toString('hex')), 'register', 'enclave', here);
    await refused(/INVALID_CONTENT/, 1, registry, '--key', key, 'register', 'node', 'ftp://x');
    await refused(/ENCLAVE_NOT_FOUND/, 1, registry, '--key', key, 'register', 'enclave', there);
    await refused(/no registry/, 1, first.url, '--key', key, 'register', 'identity', 'x');
    const proxy = await liar(second.url, (json, at) =>
      void (at.endsWith('/manifest') && (json.content += ' ')));
    await refused(/Manifest lies/, 1, registry, '--key', key, 'register', 'enclave', there,
      '--node', proxy.url);
    proxy.close();
  });
  await check('misuse is status 2', async () => {
    for (const words of [['register', 'thing', 'x'], ['register', 'node'], ['resolve'],
      ['resolve', 'xyz'], ['resolve', pub, '--app', 'x']]) {
      assert.equal((await encctl(registry, '--key', key, ...words)).code, 2, words.join(' '));
    }
    for (const words of [['identity', 'x', 'label'], ['identity', 'x', `=${pub}`],
      ['identity', 'x', 'a=b'], ['enclave', 'xyz'], ['enclave', here, here]]) {
      assert.equal((await encctl(registry, '--key', key, 'register', ...words)).code, 2);
    }
    assert.equal((await encctl(registry, 'register', 'identity', 'x')).code, 2);
  });
  for (const daemon of [first, second]) {
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  }
});
