#!/usr/bin/env node
// The registry: who has which node, enclave and identity (protocol.md 11.3). Reads go through curl.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runSuite } from './lib/check.mjs';
import { makeCommit, makeManifest, nonce } from './lib/commit.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { eventFault, finalise, receiptFault } from './lib/event.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { clearProof, makeSession } from './lib/session.mjs';
import { Socket } from './lib/socket.mjs';

const run = promisify(execFile);

async function curl(url) {
  const { stdout } = await run('curl', ['-s', '-w', '\n%{http_code}', url]);
  const [, text, status] = stdout.match(/^([\s\S]*)\n(\d+)$/);
  return { status: Number(status), text, json: JSON.parse(text) };
}

await runSuite(async ({ check }) => {
  const admin = newKey();
  const daemon = await Daemon.start({ env: { ENCLAVED_REGISTRY_OWNER: admin.pub } });
  let { client } = daemon;
  const [node, other, alice, bob, carol] = Array.from({ length: 5 }, () => newKey());
  const read = (path) => curl(`${client.url}/registry${path}`);
  const post = (body, path = '') => client.post(`/registry${path}`, body);
  const info = async () => assertOk(await read('/info/enclave')).json;
  const registry = (await info()).enclave;
  const send = (key, type, content, more) =>
    post(makeCommit(key, registry, type, content, more));
  const accept = async (key, type, content, more) => {
    const commit = makeCommit(key, registry, type, content, more);
    const receipt = assertOk(await post(commit)).json;
    assert.equal(receiptFault(receipt, commit, client.seqPub), null);
    return receipt;
  };

  /* What must be the same before and after a refusal. */
  const everything = async () => {
    // all but the log's head: a bundle may close by itself
    const { seq, status, state_hash: stateHash } = (await client.get('/registry/info/enclave')).json;
    const rows = await Promise.all(['/nodes?limit=100',
      ...[node, other, alice, bob].flatMap(({ pub }) => [`/identities/${pub}`, `/nodes/${pub}`])]
      .map((path) => client.get(`/registry${path}`)));
    return [seq, status, stateHash, ...rows.map(({ json }) => ({ ...json, request_id: null }))];
  };
  const refuse = async (code, key, type, content) => {
    const before = await everything();
    assertError(await send(key, type, content), code);
    assert.deepEqual(await everything(), before);
  };

  const nodeOf = (key, more = {}) => ({ seq_pub: key.pub, protocols: ['https', 'wss'], enc_v: 1,
    endpoints: [{ uri: 'https://node.example/base', priority: 1 },
      { uri: 'wss://node.example', priority: 2 }], ...more });
  const manifestOf = (author, owner, sequencer = node, change = (commit) => commit) => {
    const commit = makeManifest(author, { enc_v: 1, RBAC: { roles: [], schema: [],
      initial_state: { Owner: [owner.pub] } }, meta: { nonce: nonce() } });
    return finalise(change(commit), sequencer, { seq: 0, type_seq: 1, timestamp: Date.now() });
  };
  const enclaveOf = (manifest, more = {}) =>
    ({ manifest, node_pub: manifest.sequencer, ...more });

  await check('11.3 made at the first start: by the node key, owned by registry.owner', async () => {
    const manifest = assertOk(await read('/info/manifest')).json;
    assert.equal(eventFault(manifest, client.seqPub), null);
    assert.deepEqual([manifest.enclave, manifest.from], [registry, client.seqPub]);
    const { RBAC } = JSON.parse(manifest.content);
    assert.deepEqual(RBAC.initial_state, { Owner: [admin.pub] });
    assert.deepEqual(RBAC.roles, ['DataView']);
    assert.equal(RBAC.schema.length, 17);
    const { services } = (await curl(`${client.url}/info/node`)).json;
    assert.deepEqual(services.registry, { mount: '/registry', encrypted: false,
      has_dataview: true, has_push: false });
  });
  await check('98 a second Manifest is ENCLAVE_EXISTS', async () => {
    const before = await everything();
    const { content } = (await read('/info/manifest')).json;
    const second = { ...JSON.parse(content), meta: { nonce: nonce() } };
    for (const body of [second, { ...second, RBAC: { roles: [], schema: [],
      initial_state: { Owner: [admin.pub] } } }]) {
      assertError(await post(makeManifest(admin, body)), 'ENCLAVE_EXISTS');
    }
    assert.deepEqual(await everything(), before);
  });

  /* ---- nodes ---- */

  await check('Reg_Node: the row has the columns and is what was registered', async () => {
    const receipt = await accept(node, 'Reg_Node', { ...nodeOf(node), more: 1 });
    const row = assertOk(await read(`/nodes/${node.pub}`)).json;
    assert.deepEqual(row, { ...nodeOf(node), from_pub: node.pub, registered_at: receipt.timestamp });
    assert.deepEqual(assertOk(await read(`/nodes/${node.pub.toUpperCase()}`)).json, row);
  });
  await check('Reg_Node of another key is UNAUTHORIZED (73)', () =>
    refuse('UNAUTHORIZED', other, 'Reg_Node', nodeOf(node)));
  await check('Reg_Node that is malformed is INVALID_CONTENT, nothing is written', async () => {
    const uri = (text) => ({ endpoints: [{ uri: text, priority: 1 }] });
    const changes = [{ seq_pub: undefined }, { seq_pub: 'ab' }, { endpoints: undefined },
      { endpoints: [] }, { endpoints: {} }, { endpoints: Array(17).fill(nodeOf(node).endpoints[0]) },
      { endpoints: [{ uri: 'https://a.example' }] },
      { endpoints: [{ uri: 'https://a.example', priority: 65536 }] },
      { endpoints: [{ uri: 'https://a.example', priority: 0.5 }] },
      uri('ftp://a.example'), uri('https://'), uri('a.example'), uri('https://u@a.example'),
      uri(`https://a.example/${'x'.repeat(2048)}`), uri(7),
      { protocols: [] }, { protocols: [''] }, { protocols: ['a b'] }, { protocols: 'https' },
      { protocols: Array(17).fill('x') }, { enc_v: 0 }, { enc_v: '1' }, { enc_v: undefined }];
    for (const change of changes) {
      await refuse('INVALID_CONTENT', node, 'Reg_Node', nodeOf(node, change));
    }
    for (const text of ['', '7', '[]', 'no JSON', '{"seq_pub":']) {
      await refuse('INVALID_CONTENT', node, 'Reg_Node', text);
    }
  });
  await check('GET /nodes: by registered_at, in pages, with total', async () => {
    await accept(other, 'Reg_Node', nodeOf(other));
    await accept(alice, 'Reg_Node', nodeOf(alice));
    const all = assertOk(await read('/nodes')).json;
    assert.deepEqual(all.nodes.map((row) => row.seq_pub), [node.pub, other.pub, alice.pub]);
    assert.equal(all.total, 3);
    assert.deepEqual((await read('/nodes?limit=1')).json, { nodes: [all.nodes[0]], total: 3 });
    assert.deepEqual((await read('/nodes?limit=5&offset=1')).json.nodes, all.nodes.slice(1));
    assert.deepEqual((await read('/nodes?offset=3')).json, { nodes: [], total: 3 });
    await accept(node, 'Reg_Node', nodeOf(node));
    const moved = (await read('/nodes')).json;
    assert.deepEqual(moved.nodes.map((row) => row.seq_pub), [other.pub, alice.pub, node.pub]);
    assert.equal(moved.total, 3);
  });
  await check('78, 100 malformed parameters are INVALID_QUERY', async () => {
    for (const query of ['limit=0', 'limit=101', 'limit=-1', 'limit=1.5', 'limit=', 'limit=x',
      'offset=-1', 'offset=x', 'offset=100001', 'limit=1&limit=2']) {
      assertError(await read(`/nodes?${query}`), 'INVALID_QUERY');
    }
    assertError(await read(`/identities/${alice.pub}?limit=0`), 'INVALID_QUERY');
  });

  /* ---- enclaves ---- */

  const [byAuthor, byOwner, byNode] = [0, 1, 2].map(() => manifestOf(alice, bob));
  await check('Reg_Enclave: by author, first Owner and sequencer', async () => {
    for (const [key, manifest] of [[alice, byAuthor], [bob, byOwner], [node, byNode]]) {
      const receipt = await accept(key, 'Reg_Enclave',
        enclaveOf(manifest, { app: 'notes', desc: 'd', meta: {} }));
      assert.deepEqual(assertOk(await read(`/enclaves/${manifest.enclave}`)).json, {
        enclave_id: manifest.enclave, node_pub: node.pub, manifest, from_pub: key.pub,
        registered_at: receipt.timestamp, app: 'notes' });
    }
  });
  await check('Reg_Enclave by anybody else is UNAUTHORIZED', async () => {
    const manifest = manifestOf(alice, bob);
    await refuse('UNAUTHORIZED', carol, 'Reg_Enclave', enclaveOf(manifest));
    assertError(await read(`/enclaves/${manifest.enclave}`), 'ENCLAVE_NOT_FOUND');
  });
  await check('Reg_Enclave: a Manifest that does not verify is INVALID_CONTENT (73)', async () => {
    const good = manifestOf(alice, bob);
    const flip = (hex) => hex.slice(0, -1) + (hex.endsWith('0') ? '1' : '0');
    const events = [
      { ...good, sig: flip(good.sig) }, { ...good, seq_sig: flip(good.seq_sig) },
      { ...good, id: flip(good.id) }, { ...good, hash: flip(good.hash) },
      { ...good, content: `${good.content} ` }, { ...good, content: null },
      { ...good, timestamp: good.timestamp + 1 }, { ...good, enclave: flip(good.enclave) },
      { ...good, from: bob.pub }, { ...good, tags: 7 }, undefined, 'x', {},
      finalise(makeCommit(alice, good.enclave, 'Manifest', good.content), other,
        { seq: 1, type_seq: 1, timestamp: 5 }),
      manifestOf(alice, bob, node, (c) => makeCommit(alice, byAuthor.enclave, 'Manifest',
        c.content)),
      manifestOf(alice, bob, node, (c) => makeCommit(alice, c.enclave, 'Note', c.content)),
      manifestOf(alice, bob, node, () => makeManifest(alice, { enc_v: 1 })),
      manifestOf(alice, bob, node, () => makeManifest(alice, { ...JSON.parse(good.content),
        sequencer: other.pub })),
    ];
    for (const manifest of events) {
      await refuse('INVALID_CONTENT', alice, 'Reg_Enclave',
        { manifest, node_pub: manifest?.sequencer ?? node.pub });
    }
    assertError(await read(`/enclaves/${good.enclave}`), 'ENCLAVE_NOT_FOUND');
  });
  await check('98 node_pub that is not the sequencer is INVALID_CONTENT', async () => {
    const manifest = manifestOf(alice, bob);
    for (const nodePub of [other.pub, undefined, 'ab', 7]) {
      await refuse('INVALID_CONTENT', alice, 'Reg_Enclave', { manifest, node_pub: nodePub });
    }
    for (const more of [{ app: '' }, { app: 7 }, { app: 'x'.repeat(101) }, { desc: null },
      { desc: 'x'.repeat(5001) }, { meta: [] }]) {
      await refuse('INVALID_CONTENT', alice, 'Reg_Enclave', enclaveOf(manifest, more));
    }
  });
  await check('a row may only be replaced by who registered it', async () => {
    for (const key of [bob, node]) {
      await refuse('UNAUTHORIZED', key, 'Reg_Enclave', enclaveOf(byAuthor, { app: 'mine' }));
    }
    await accept(alice, 'Reg_Enclave', enclaveOf(byAuthor, { app: 'é'.repeat(100) }));
    assert.equal((await read(`/enclaves/${byAuthor.enclave}`)).json.app, 'é'.repeat(100));
    await accept(alice, 'Reg_Enclave', enclaveOf(byAuthor));
    assert.equal((await read(`/enclaves/${byAuthor.enclave}`)).json.app, null);
  });
  await check('GET /resolve: the enclave and its node, or null', async () => {
    const { json } = await read(`/resolve/${byAuthor.enclave}`);
    assert.deepEqual(json, { enclave: (await read(`/enclaves/${byAuthor.enclave}`)).json,
      node: (await read(`/nodes/${node.pub}`)).json });
    const lone = manifestOf(carol, carol, bob);
    await accept(carol, 'Reg_Enclave', enclaveOf(lone));
    assert.equal((await read(`/resolve/${lone.enclave}`)).json.node, null);
    assertError(await read(`/resolve/${nonce()}${nonce()}`), 'ENCLAVE_NOT_FOUND');
  });
  await check('an enclave that this very node sequences can be registered', async () => {
    const commit = makeManifest(alice, { enc_v: 1, RBAC: { roles: [], schema: [],
      initial_state: { Owner: [alice.pub] } }, meta: { nonce: nonce() } });
    await client.accept(commit);
    const manifest = (await curl(`${client.url}/enclave/${commit.enclave}/info/manifest`)).json;
    await accept(alice, 'Reg_Enclave', enclaveOf(manifest));
    assert.deepEqual((await read(`/enclaves/${commit.enclave}`)).json.manifest, manifest);
  });

  /* ---- identities ---- */

  await check('Reg_Identity: columns, enclaves of the author, and the map', async () => {
    const receipt = await accept(bob, 'Reg_Identity', { display_name: 'Bøb', bio: '',
      enclaves: { personal: byAuthor.enclave.toUpperCase() } });
    const row = assertOk(await read(`/identities/${bob.pub}`)).json;
    const own = (await read(`/enclaves/${byOwner.enclave}`)).json;
    assert.deepEqual(row, { pub_key: bob.pub, display_name: 'Bøb', avatar: null, bio: '',
      registered_at: receipt.timestamp, total: 1,
      enclaves: [own, { name: 'personal', enclave_id: byAuthor.enclave }] });
    assert.deepEqual((await read(`/identity/${bob.pub}`)).json, row);
    const [named] = row.enclaves.filter(({ name }) => name === 'personal');
    const found = (await read(`/resolve/${named.enclave_id}`)).json;
    assert.equal(found.node.endpoints[0].uri, 'https://node.example/base');
  });
  await check('Reg_Identity that is malformed is INVALID_CONTENT', async () => {
    const changes = [{ display_name: undefined }, { display_name: '' }, { display_name: 7 },
      { display_name: 'x'.repeat(101) }, { avatar: '' }, { avatar: 'x'.repeat(2049) }, { bio: 7 },
      { bio: 'x'.repeat(5001) }, { enclaves: [] }, { enclaves: { a: 'ab' } },
      { enclaves: { '': byAuthor.enclave } }, { enclaves: { 'a b': byAuthor.enclave } },
      { enclaves: Object.fromEntries(Array.from({ length: 65 }, (_, i) =>
        [`e${i}`, byAuthor.enclave])) }];
    for (const change of changes) {
      await refuse('INVALID_CONTENT', bob, 'Reg_Identity', { display_name: 'B', ...change });
    }
  });
  await check('an identity\'s enclaves come in pages', async () => {
    const more = [1, 2, 3].map(() => manifestOf(carol, carol));
    for (const manifest of more) await accept(carol, 'Reg_Enclave', enclaveOf(manifest));
    assertError(await read(`/identities/${carol.pub}`), 'IDENTITY_NOT_FOUND');
    await accept(carol, 'Reg_Identity', { display_name: 'C' });
    const { json } = await read(`/identities/${carol.pub}?limit=2&offset=1`);
    assert.equal(json.total, 4);
    assert.deepEqual(json.enclaves.map((row) => row.enclave_id),
      more.slice(0, 2).map((manifest) => manifest.enclave));
  });

  /* ---- Delete ---- */

  await check('74 Delete of the newest removes the row; earlier ones do not come back', async () => {
    const tag = (receipt) => ({ tags: [['r', receipt.id]] });
    const first = await accept(bob, 'Reg_Node', nodeOf(bob));
    const second = await accept(bob, 'Reg_Node', nodeOf(bob, { enc_v: 2 }));
    const before = await everything();
    assertError(await send(alice, 'Delete', '', tag(second)), 'UNAUTHORIZED');
    assertError(await send(admin, 'Delete', '', tag(second)), 'UNAUTHORIZED');
    assert.deepEqual(await everything(), before);
    const { total } = (await read('/nodes')).json;
    await accept(bob, 'Delete', '', tag(second));
    assertError(await read(`/nodes/${bob.pub}`), 'NODE_NOT_FOUND');
    assert.equal((await read('/nodes')).json.total, total - 1);
    assertError(await send(bob, 'Delete', '', tag(second)), 'ALREADY_DELETED');
    await accept(bob, 'Delete', '', tag(first));
    const third = await accept(bob, 'Reg_Node', nodeOf(bob));
    const fourth = await accept(bob, 'Reg_Node', nodeOf(bob));
    await accept(bob, 'Delete', '', tag(third));
    assert.equal((await read(`/nodes/${bob.pub}`)).json.registered_at, fourth.timestamp);
  });
  await check('Delete frees an enclave and an identity too', async () => {
    const manifest = manifestOf(alice, bob);
    const enclave = await accept(bob, 'Reg_Enclave', enclaveOf(manifest));
    await accept(bob, 'Delete', '', { tags: [['r', enclave.id]] });
    assertError(await read(`/enclaves/${manifest.enclave}`), 'ENCLAVE_NOT_FOUND');
    await accept(alice, 'Reg_Enclave', enclaveOf(manifest));
    const name = await accept(alice, 'Reg_Identity', { display_name: 'A' });
    await accept(alice, 'Delete', '', { tags: [['r', name.id]] });
    assertError(await read(`/identities/${alice.pub}`), 'IDENTITY_NOT_FOUND');
  });
  await check('an Update of a registration is not granted by the schema', async () => {
    const receipt = await accept(other, 'Reg_Node', nodeOf(other));
    const before = await everything();
    assertError(await send(other, 'Update', '{}', { tags: [['r', receipt.id]] }), 'UNAUTHORIZED');
    assert.deepEqual(await everything(), before);
  });

  /* ---- a singleton ---- */

  await check('8.1 enclave may be left out of commit and query', async () => {
    const { enclave, ...commit } = makeCommit(other, registry, 'Reg_Node', nodeOf(other));
    assert.equal(enclave, registry);
    assert.equal(assertOk(await post(commit)).json.enclave, registry);
    const query = { type: 'Query', content: { filter: { type: 'Reg_Node', limit: 1000 } } };
    const { events } = assertOk(await post(query)).json.content;
    assert.ok(events.length > 5);
    for (const { event } of events) assert.equal(eventFault(event, client.seqPub), null);
    const known = { ...query, from: bob.pub, content: { ...query.content,
      ...clearProof(makeSession(bob), client.seqPub, registry) } };
    assert.deepEqual(assertOk(await post(known)).json.content.events, events);
  });
  await check('routes at the root and below the enclave, and no others', async () => {
    for (const path of ['/sth', '/nodes', '/info/manifest']) {
      const root = assertOk(await read(path)).json;
      assert.deepEqual(Object.keys(assertOk(await read(`/enclave/${registry}${path}`)).json),
        Object.keys(root));
    }
    assertError(await read(`/enclave/${byAuthor.enclave}/nodes`), 'ENCLAVE_NOT_FOUND');
    for (const path of ['/nodes/', '/nodes/xyz', '/enclaves/12', '/resolve/x', '/identities/z',
      '/consistency?from=0', '/enclaves', '/_bootstrap']) {
      assertError(await read(path), 'INVALID_ROUTE');
    }
    assertError(await post({}, '/nodes'), 'METHOD_NOT_ALLOWED');
    assertError(await client.get('/nodes'), 'INVALID_ROUTE');
    assertError(await client.get(`/enclave/${registry}/sth`), 'ENCLAVE_NOT_FOUND');
  });
  await check('32 Grant with endpoint and Grant_Push are PUSH_UNSUPPORTED', async () => {
    const grant = { identity: bob.pub, role: 'DataView', endpoint: 'https://example.org/x' };
    await refuse('PUSH_UNSUPPORTED', admin, 'Grant_Push', grant);
    await refuse('PUSH_UNSUPPORTED', admin, 'Grant', grant);
    await accept(admin, 'Grant', { identity: bob.pub, role: 'DataView' });
    await refuse('UNAUTHORIZED', bob, 'Grant', { identity: bob.pub, role: 'DataView' });
  });
  await check('a WebSocket at /registry: stored events, live ones, commits', async () => {
    const socket = await Socket.open(client, '/registry');
    const live = socket.subscribe('s', { type: 'Query', sub_id: 's',
      content: { filter: { type: 'Reg_Identity' } } });
    await live.through('EOSE');
    const commit = makeCommit(other, registry, 'Reg_Identity', { display_name: 'O' });
    const { enclave, ...bare } = commit;
    socket.send(bare);
    const [frame] = await live.live(1);
    assert.equal(frame.event.enclave, enclave);
    assert.equal(JSON.parse(frame.event.content).display_name, 'O');
    assert.equal(receiptFault(await socket.next(), commit, client.seqPub), null);
    await send(other, 'Reg_Identity', { display_name: '' });
    socket.send(makeCommit(other, registry, 'Reg_Identity', '{}'));
    assert.equal((await socket.next()).code, 'INVALID_CONTENT');
    await socket.close();
  });
  await check('after a restart and after SIGKILL it is the same', async () => {
    for (const signal of ['SIGTERM', 'SIGKILL']) {
      const before = await everything();
      client = await daemon.restart(signal);
      assert.equal((await info()).enclave, registry);
      assert.deepEqual(await everything(), before);
    }
  });
  await check('4.1 paused by its Owner it takes no registrations, reads go on', async () => {
    await accept(admin, 'Pause', '');
    await refuse('ENCLAVE_PAUSED', other, 'Reg_Node', nodeOf(other));
    assertOk(await read('/nodes'));
    await accept(admin, 'Resume', '');
    await accept(other, 'Reg_Node', nodeOf(other));
  });
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});
