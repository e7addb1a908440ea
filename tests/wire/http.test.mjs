#!/usr/bin/env node
// Routes, addressing, CORS, strict JSON and size limits of enc-node (protocol.md 8.1-8.3).

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { makeCommit, signCommit } from './lib/commit.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';

const UNKNOWN = 'ab'.repeat(32);
const GETS = ['sth', 'info/manifest', 'info/enclave', 'consistency?from=0'];
const POSTS = ['', '/inclusion', '/bundle', '/state'];
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'];

/* An answer that breaks one of these is a defect on any route. */
function assertHeaders(answer) {
  assert.equal(answer.headers['access-control-allow-origin'], '*', '45 CORS on every answer');
  if (answer.text) assert.match(answer.headers['content-type'], /^application\/json/);
}

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { client } = daemon;
  const enclave = await Enclave.create(client, wall, { bundle: { size: 1, timeout: 0 } });
  const { id } = enclave;
  const author = newKey();
  const query = { type: 'Query', enclave: id, content: {} };
  const ask = (members) => ({ ...query, content: members });
  const call = (method, path, body, headers) =>
    request(method, client.url, path, body, headers).then((answer) => {
      assertHeaders(answer);
      return answer;
    });
  const post = (path, body) =>
    call('POST', path, typeof body === 'string' ? body : JSON.stringify(body));

  await check('8.2 GET routes below the enclave', async () => {
    for (const action of GETS) assertOk(await call('GET', `/enclave/${id}/${action}`));
  });
  await check('8.2 POST routes below the enclave', async () => {
    const event = (await enclave.post(author)).id;
    const path = `/enclave/${id}`;
    assertOk(await post(path, query));
    assertOk(await post(`${path}/inclusion`, ask({ leaf_index: 0 })));
    assertOk(await post(`${path}/bundle`, ask({ event_id: event })));
    assertOk(await post(`${path}/state`, ask({ namespace: 'event_status', key: event })));
  });
  await check('8.1 POST / takes the enclave from the body', async () => {
    assertOk(await post('/', query));
    assertOk(await post('/', makeCommit(author, id, 'Post', 'by the root')));
  });
  await check('41 /<hex64> behaves as /enclave/<hex64>, either case', async () => {
    for (const prefix of [`/${id}`, `/${id.toUpperCase()}`, `/enclave/${id.toUpperCase()}`]) {
      for (const action of GETS) assertOk(await call('GET', `${prefix}/${action}`));
      assertOk(await post(prefix, query));
      assertOk(await post(`${prefix}/inclusion`, ask({ leaf_index: 0 })));
    }
  });
  await check('42 a path whose id is not hex64 is INVALID_ROUTE', async () => {
    for (const bad of ['x', id.slice(1), `${id}0`, `${id.slice(1)}g`, '']) {
      assertError(await call('GET', `/enclave/${bad}/sth`), 'INVALID_ROUTE');
      assertError(await post(`/enclave/${bad}/state`, query), 'INVALID_ROUTE');
    }
    assertError(await call('GET', `/${id.slice(1)}/sth`), 'INVALID_ROUTE');
    assertError(await post('/enclave', query), 'INVALID_ROUTE');
  });
  await check('43 GET / without Upgrade is METHOD_NOT_ALLOWED', async () => {
    assertError(await call('GET', '/'), 'METHOD_NOT_ALLOWED');
    assertError(await call('GET', `/enclave/${id}`), 'METHOD_NOT_ALLOWED');
  });
  await check('44 unknown paths are INVALID_ROUTE for every method', async () => {
    for (const path of ['/nope', `/enclave/${id}/nope`, `/${id}/nope`, `/enclave/${id}/info`,
      `/enclave/${id}/sth/more`, `/enclave/${id}/info/nope`]) {
      for (const method of METHODS) assertError(await call(method, path), 'INVALID_ROUTE');
    }
  });
  await check('44 known paths with another method are METHOD_NOT_ALLOWED', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      assertError(await call(method, '/'), 'METHOD_NOT_ALLOWED');
      for (const action of [...GETS.map((name) => `/${name}`), ...POSTS]) {
        const answer = await call(method, `/enclave/${id}${action}`);
        assertError(answer, 'METHOD_NOT_ALLOWED');
      }
    }
    for (const name of GETS) {
      assertError(await post(`/enclave/${id}/${name}`, query), 'METHOD_NOT_ALLOWED');
    }
    for (const name of POSTS.slice(1)) {
      assertError(await call('GET', `/enclave/${id}${name}`), 'METHOD_NOT_ALLOWED');
    }
  });
  await check('8.1 the actions of an enclave do not exist at the root', async () => {
    for (const name of GETS) assertError(await call('GET', `/${name}`), 'INVALID_ROUTE');
    for (const name of POSTS.slice(1)) assertError(await post(name, query), 'INVALID_ROUTE');
  });
  await check('8.2 registry, chat and timeline routes are not here', async () => {
    for (const name of ['posts', 'feed', 'nodes', 'push', '_bootstrap']) {
      assertError(await call('GET', `/enclave/${id}/${name}`), 'INVALID_ROUTE');
    }
  });
  await check('8 OPTIONS: 204, any origin, the methods, Content-Type', async () => {
    for (const path of ['/', `/enclave/${id}`, `/enclave/${id}/state`, `/${id}/sth`]) {
      const { status, text, headers } = await call('OPTIONS', path, undefined,
        { origin: 'https://example.org', 'access-control-request-method': 'POST' });
      assert.equal(status, 204);
      assert.equal(text, '');
      const methods = headers['access-control-allow-methods'];
      for (const name of ['GET', 'POST', 'OPTIONS']) assert.ok(methods.includes(name), methods);
      assert.match(headers['access-control-allow-headers'], /content-type/i);
    }
  });
  await check('info/node says key, service, limits and time', async () => {
    const info = assertOk(await call('GET', '/info/node')).json;
    assert.match(info.seq_pub, /^[0-9a-f]{64}$/);
    assert.equal(typeof info.version, 'string');
    const { mount: _, ...service } = info.services['enc-node'];
    assert.deepEqual(service, { encrypted: true, has_dataview: false, has_push: true });
    assert.equal(typeof info.limits, 'object');
    assert.ok(Math.abs(info.now - Date.now()) < 5000);
  });
  await check('8.6 info/manifest is the Manifest event, info/enclave the status', async () => {
    const event = assertOk(await call('GET', `/enclave/${id}/info/manifest`)).json;
    const { type: _, ...receipt } = enclave.receipt;
    const { from, type, content, exp, tags } = enclave.manifest;
    assert.deepEqual(event, { ...receipt, from, type, content, exp, tags });
    const info = await client.info(id);
    assert.equal(info.created_at, event.timestamp);
    assert.deepEqual([info.enc_v, info.service, info.encrypted], [1, 'enc-node', true]);
    assert.deepEqual(info.bundle, { size: 1, timeout: 0 });
  });
  await check('ENCLAVE_NOT_FOUND on every route of an enclave that is not here', async () => {
    const other = { ...query, enclave: UNKNOWN };
    for (const action of GETS) {
      assertError(await call('GET', `/enclave/${UNKNOWN}/${action}`), 'ENCLAVE_NOT_FOUND');
    }
    const members = { namespace: 'rbac', key: UNKNOWN, event_id: UNKNOWN };
    const { namespace, key, event_id: event } = members;
    const bodies = { '': {}, '/inclusion': { leaf_index: 0 }, '/bundle': { event_id: event },
      '/state': { namespace, key } };
    for (const [action, content] of Object.entries(bodies)) {
      const answer = await post(`/enclave/${UNKNOWN}${action}`, { ...other, content });
      assertError(answer, 'ENCLAVE_NOT_FOUND');
    }
    assertError(await post('/', makeCommit(author, UNKNOWN, 'Post', '')), 'ENCLAVE_NOT_FOUND');
  });
  await check('8.3 path and body of different enclaves are INVALID_REQUEST', async () => {
    const path = `/enclave/${UNKNOWN}`;
    assertError(await post(path, query), 'INVALID_REQUEST');
    assertError(await post(path, makeCommit(author, id, 'Post', '')), 'INVALID_REQUEST');
    assertError(await post(`${path}/state`, ask({ namespace: 'rbac', key: id })),
      'INVALID_REQUEST');
  });

  const notJson = ['', ' ', '{', '{}}', '{"type":"Query",}', "{'type':'Query'}", 'nope', '[', 'NaN',
    '{"type":"Query"} x', '{"type":Query}', '{"a":01}', '{"a":+1}', '{"a":.5}', '{"a":"\n"}',
    '{"a":"\\x"}', '{"a":"\\u12"}', '// {}', '\u00a0{}'];
  await check('10 a body that is not JSON is INVALID_REQUEST', async () => {
    for (const text of notJson) assertError(await post('/', text), 'INVALID_REQUEST');
  });
  await check('8.3 JSON of no known request is INVALID_REQUEST', async () => {
    for (const value of [[], 'x', 1, null, true, {}, { type: 'Nope' }, { type: 1 }, { type: null },
      { Type: 'Query' }, { type: 'query', enclave: id, content: {} }]) {
      assertError(await post('/', JSON.stringify(value)), 'INVALID_REQUEST');
    }
  });
  await check('10 a body that is not UTF-8 is INVALID_REQUEST', async () => {
    const bad = [[0xff], [0xc0, 0xaf], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80], [0xc3], [0x80]];
    for (const bytes of bad) {
      const head = Buffer.from('{"type":"Query","x":"');
      const body = Buffer.concat([head, Buffer.from(bytes), Buffer.from('"}')]);
      assertError(await call('POST', '/', body), 'INVALID_REQUEST');
    }
  });
  await check('8 duplicate member names anywhere are INVALID_REQUEST', async () => {
    const commit = JSON.stringify(makeCommit(author, id, 'Post', 'twice'));
    const cases = [`{"exp":1,${commit.slice(1)}`, commit.replace('{', '{"a":1,"a":2,'),
      commit.replace('{', '{"a":{"b":1,"b":1},'), commit.replace('{', '{"a":1,"\\u0061":2,'),
      `{"type":"Query","enclave":"${id}","content":{"filter":{"limit":1,"limit":2}}}`];
    for (const body of cases) assertError(await post('/', body), 'INVALID_REQUEST');
  });
  await check('9, 89 64 levels of nesting pass, 65 are INVALID_REQUEST', async () => {
    const nested = (levels) => {
      const commit = JSON.stringify(makeCommit(author, id, 'Post', `level ${levels}`));
      const deep = '['.repeat(levels - 1) + ']'.repeat(levels - 1);
      return commit.replace('{', `{"x":${deep},`);
    };
    assertOk(await post('/', nested(64)));
    assertError(await post('/', nested(65)), 'INVALID_REQUEST');
    assertError(await post('/', '['.repeat(100_000)), 'INVALID_REQUEST');
  });
  await check('6 detection looks at the key only: exp null is a commit', async () => {
    assertError(await post('/', { type: 'Query', exp: null }), 'INVALID_COMMIT');
    const { exp: _, ...commit } = makeCommit(author, id, 'Post', 'no exp');
    assertError(await post('/', commit), 'INVALID_REQUEST');
  });

  const content = (text) => makeCommit(author, id, 'Post', text);
  await check('4 content of 256 KiB passes, one byte more is TOO_LARGE', async () => {
    assertOk(await post('/', content('a'.repeat(262_144))));
    assertError(await post('/', content('a'.repeat(262_145))), 'TOO_LARGE');
    assertError(await post('/', content('é'.repeat(131_073))), 'TOO_LARGE');
  });
  await check('4 sizes count decoded bytes, not the escapes', async () => {
    const text = 'é'.repeat(100_000);
    const escaped = JSON.stringify(content(text)).replaceAll('é', '\\u00e9');
    assert.ok(escaped.length > 600_000);
    assertOk(await post('/', escaped));
  });
  await check('4 tags above their limits are TOO_LARGE', async () => {
    const tagged = (tags) => post('/', makeCommit(author, id, 'Post', 'tags', { tags }));
    const list = (n, tag) => Array.from({ length: n }, () => tag);
    assertOk(await tagged(list(64, ['a', 'b'])));
    assertError(await tagged(list(65, ['a', 'b'])), 'TOO_LARGE');
    assertOk(await tagged([['k', 'v'.repeat(1024)]]));
    assertError(await tagged([['k', 'v'.repeat(1025)]]), 'TOO_LARGE');
    assertError(await tagged([['k', 'é'.repeat(513)]]), 'TOO_LARGE');
    assertOk(await tagged(list(8, ['k', 'v'.repeat(1000)])));
    assertError(await tagged(list(9, ['k', 'v'.repeat(1000)])), 'TOO_LARGE');
  });
  await check('2.1 a body above 1 MiB is TOO_LARGE, one of 1 MiB is read', async () => {
    const padded = (length) => {
      const commit = JSON.stringify(content(`padded ${length}`));
      return commit + ' '.repeat(length - commit.length);
    };
    assertOk(await post('/', padded(1_048_576)));
    assertError(await post('/', padded(1_048_577)), 'TOO_LARGE');
  });
  await check('a body without a length obeys the same limit', async () => {
    const chunked = { 'transfer-encoding': 'chunked' };
    const body = JSON.stringify(content('in chunks'));
    assertOk(await call('POST', '/', body, chunked));
    assertError(await call('POST', '/', body + ' '.repeat(1_048_576), chunked), 'TOO_LARGE');
  });
  await check('after all this the connection and the node are well', async () => {
    const commit = signCommit(author, { enclave: id, from: author.pub, type: 'Post',
      content: 'well', exp: Date.now() + 1000, tags: [] });
    assertOk(await post('/', commit));
  });
  assert.equal((await daemon.stop()).code, 0);
});
