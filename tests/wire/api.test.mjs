#!/usr/bin/env node
// /openapi.json and /asyncapi.json of every mount: well made, and the node keeps to them. Every operation is really called;
// what it answers must be what its document allows.

import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { runSuite } from './lib/check.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { misfits, resolve } from './lib/schema.mjs';
import { clearProof, makeSession, NO_ENCLAVE } from './lib/session.mjs';

const MOUNTS = ['/', '/registry', '/chat', '/timeline'];
const METHODS = ['get', 'post'];
const UNKNOWN = 'ab'.repeat(32);

function* operations(document) {
  for (const [path, item] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(item)) yield { path, method, operation };
}

/** The response a document has for a status; undefined when it has none. */
const allowed = (operation, status) =>
  operation.responses[status] ?? operation.responses[`${String(status)[0]}XX`];

/** What an answer has that its document does not allow. */
function breaches(document, operation, answer) {
  let response = allowed(operation, answer.status);
  if (!response) return [`status ${answer.status} is not documented`];
  if (response.$ref) response = resolve(document, response.$ref);
  const schema = response.content?.['application/json']?.schema;
  if (!schema) return [];
  assert.ok(answer.headers['content-type'].startsWith('application/json'));
  return misfits(document, schema, answer.json);
}

/** A path of the templates, with these values and every required parameter of the query. */
function fill(path, operation, values) {
  const query = operation.parameters.filter((p) => p.in === 'query' && p.required)
    .map((p) => `${p.name}=${p.schema.$ref.endsWith('Count') ? 0 : 'x'}`).join('&');
  return path.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? UNKNOWN) + (query && `?${query}`);
}

/** Every shape of a body that a service must bear. */
const bodies = (enclave) => [
  { type: 'Query', enclave, content: { filter: { limit: 1 } } },
  { type: 'Query', enclave, content: { leaf_index: 0, namespace: 'rbac', key: UNKNOWN } },
  { owner: UNKNOWN }, { creator: UNKNOWN, name: 'x' }, {}, [], 'x', null,
];

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { client, url } = daemon;
  const at = (mount, path) => (mount === '/' ? path : mount + path);
  const owner = newKey();
  const proof = () => clearProof(makeSession(owner), client.seqPub, NO_ENCLAVE);
  const post = (path, body) => request('POST', url, path, JSON.stringify(body));
  const documents = {};
  const enclaves = {};

  await check('every mount serves both documents', async () => {
    for (const mount of MOUNTS) {
      const open = await request('GET', url, at(mount, '/openapi.json'));
      const async_ = await request('GET', url, at(mount, '/asyncapi.json'));
      assert.deepEqual([open.status, async_.status], [200, 200], mount);
      assert.deepEqual([open.json.openapi, async_.json.asyncapi], ['3.1.0', '3.0.0']);
      assert.equal(open.json.servers[0].url, mount);
      documents[mount] = { open: open.json, async: async_.json };
    }
    const { json } = await request('POST', url, '/openapi.json', '{}');
    assert.equal(json.code, 'METHOD_NOT_ALLOWED');
  });
  await check('operations have unique names, declared parameters, known schemas', () => {
    for (const { open } of Object.values(documents)) {
      const all = [...operations(open)];
      const ids = all.map(({ operation }) => operation.operationId);
      assert.equal(new Set(ids).size, ids.length);
      for (const { path, method, operation } of all) {
        assert.ok(METHODS.includes(method) && operation.summary, path);
        const named = operation.parameters.filter((p) => p.in === 'path').map((p) => `{${p.name}}`);
        assert.deepEqual(path.match(/\{\w+\}/g) ?? [], named, path);
        operation.parameters.forEach((p) => resolve(open, p.schema.$ref));
      }
      for (const schema of Object.values(open.components.schemas)) misfits(open, schema, null);
    }
  });
  await check('enclaves of every kind', async () => {
    enclaves['/'] = (await Enclave.create(client, wall)).id;
    const group = await post('/chat/api/create-group', { creator: owner.pub, name: 'g', members: [], ...proof() });
    const person = await post('/timeline/_bootstrap', { owner: owner.pub, ...proof() });
    for (const [mount, path, answer] of [['/chat', '/api/create-group', group],
      ['/timeline', '/_bootstrap', person]]) {
      assert.equal(answer.status, 201);
      const { open } = documents[mount];
      assert.deepEqual(breaches(open, open.paths[path].post, answer), []);
      enclaves[mount] = answer.json.enclave;
    }
    const again = await post('/timeline/_bootstrap', { owner: owner.pub, ...proof() });
    const { open } = documents['/timeline'];
    assert.deepEqual([again.status, breaches(open, open.paths['/_bootstrap'].post, again)], [200, []]);
    enclaves['/registry'] = (await request('GET', url, '/registry/info/enclave')).json.enclave;
  });
  await check('every GET answers what its document allows; those that name nothing more answer 200', async () => {
    let good = 0;
    for (const mount of MOUNTS)
      for (const { path, method, operation } of operations(documents[mount].open)) {
        if (method !== 'get' || operation.responses['101']) continue;
        const target = at(mount, fill(path, operation, { enclave: enclaves[mount] }));
        const answer = await request('GET', url, target);
        assert.deepEqual(breaches(documents[mount].open, operation, answer), [], target);
        if (!/\{(id|ref)\}/.test(path)) assert.equal(answer.status, 200, target);
        good += answer.status === 200;
      }
    assert.ok(good > 20, `${good} answers with 200`);
  });
  await check('every GET refuses what is wrong as its document allows', async () => {
    for (const mount of MOUNTS)
      for (const { path, method, operation } of operations(documents[mount].open)) {
        if (method !== 'get' || operation.responses['101']) continue;
        for (const values of [{}, { enclave: UNKNOWN, id: 'x', ref: 'x' }]) {
          const target = `${at(mount, fill(path, operation, values)).split('?')[0]}?limit=x&from=x&before=x&q=`;
          const answer = await request('GET', url, target);
          assert.deepEqual(breaches(documents[mount].open, operation, answer), [], target);
        }
      }
  });
  await check('every POST answers what its document allows, to good and bad bodies', async () => {
    let good = 0;
    for (const mount of MOUNTS)
      for (const { path, method, operation } of operations(documents[mount].open)) {
        if (method !== 'post') continue;
        assert.ok(operation.requestBody, path);
        for (const body of bodies(enclaves[mount])) {
          const target = at(mount, fill(path, operation, { enclave: enclaves[mount] }));
          const answer = await post(target, body);
          assert.deepEqual(breaches(documents[mount].open, operation, answer), [], `${target} ${answer.text}`);
          good += answer.status === 200;
        }
      }
    assert.ok(good >= 8, `${good} answers with 200`);
  });
  await check('what the documents say of bodies is what the node takes', async () => {
    const { open } = documents['/'];
    const enclave = await Enclave.create(client, wall);
    const commit = enclave.make(enclave.owner, 'Post', 'x');
    const schema = open.paths['/'].post.requestBody.content['application/json'].schema;
    assert.deepEqual(misfits(open, schema, commit), []);
    assert.equal((await post('/', commit)).status, 200);
    const { sig, ...unsigned } = enclave.make(enclave.owner, 'Post', 'y');
    assert.notDeepEqual(misfits(open, schema, unsigned), []);
    assert.notEqual((await post('/', unsigned)).status, 200);
  });
  await check('the frames of a WebSocket are those of the document', async () => {
    const document = documents['/timeline'].async;
    const sent = document.operations.toClient.messages.map((ref) => ref.$ref.split('/').pop());
    const frames = [];
    const socket = new WebSocket(`${url.replace('http', 'ws')}/timeline`);
    await new Promise((opened) => socket.on('open', opened));
    socket.on('message', (data) => frames.push(JSON.parse(data)));
    const query = { type: 'Query', enclave: enclaves['/timeline'], sub_id: 's', content: { filter: {} } };
    assert.deepEqual(misfits(document, { $ref: '#/components/schemas/Query' }, query), []);
    for (const text of [query, { ...query, sub_id: 't', content: { filter: { limit: 0 } } },
      { type: 'Close', sub_id: 's' }]) socket.send(JSON.stringify(text));
    socket.send(Buffer.from([1]), { binary: true });
    for (let i = 0; i < 200 && frames.length < 5; i++) await new Promise((next) => setTimeout(next, 20));
    socket.terminate();
    const types = frames.map((frame) => frame.type);
    for (const type of ['Event', 'EOSE', 'Closed', 'Error', 'Notice']) assert.ok(types.includes(type), types);
    for (const frame of frames) {
      const name = frame.type === 'Event' ? 'EventFrame' : frame.type;
      assert.ok(sent.includes(name), name);
      assert.deepEqual(misfits(document, { $ref: `#/components/schemas/${name}` }, frame), []);
    }
  });
  await check('a document that lies is noticed', async () => {
    const { open } = documents['/'];
    const lie = structuredClone(open);
    lie.components.schemas.TreeHead.required.push('height');
    const path = '/enclave/{enclave}/sth';
    const answer = await request('GET', url, path.replace('{enclave}', enclaves['/']));
    assert.deepEqual(breaches(open, open.paths[path].get, answer), []);
    assert.deepEqual(breaches(lie, lie.paths[path].get, answer), ['$.height: missing']);
    delete lie.paths[path].get.responses['4XX'];
    assert.deepEqual(breaches(lie, lie.paths[path].get, { ...answer, status: 404 }),
      ['status 404 is not documented']);
  });
});
