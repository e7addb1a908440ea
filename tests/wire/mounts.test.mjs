#!/usr/bin/env node
// A service by its host names: HTTP/1.1, HTTP/2 and WebSocket (server.md, mounts).

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { runSuite } from './lib/check.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { clearProof, makeSession, NO_ENCLAVE } from './lib/session.mjs';
import { request } from './lib/http.mjs';

const run = promisify(execFile);

/** { status, json } of a request by curl. */
async function curl(...args) {
  const { stdout } = await run('curl', ['-s', '-w', '\n%{http_code} %{http_version}', ...args]);
  const lines = stdout.split('\n');
  const [status, version] = lines.pop().split(' ');
  return { status: Number(status), version, json: JSON.parse(lines.join('\n')) };
}

/** The first frame that answers a subscription, or the status that refused the socket. */
function firstFrame(url, host, frame) {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers: { host } });
  return new Promise((resolve, reject) => {
    socket.on('open', () => socket.send(JSON.stringify(frame)));
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
    socket.on('error', reject);
    socket.on('message', (data) => {
      socket.terminate();
      resolve(JSON.parse(data));
    });
  });
}

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start({
    env: { ENCLAVED_SERVICES_CHAT_HOSTS: 'chat.example.org,Talk.example.org',
      ENCLAVED_SERVICES_REGISTRY_HOSTS: 'names.example.org' } });
  const { client, url } = daemon;
  const { port } = new URL(url);
  const at = (host, path, body) =>
    request(body === undefined ? 'GET' : 'POST', url, path, body && JSON.stringify(body), { host });
  const hosts = ['chat.example.org', `chat.example.org:${port}`, 'CHAT.Example.ORG:1',
    'talk.example.org'];
  const alice = newKey();
  let group;

  await check('the service is at the root of its hosts, port and case aside', async () => {
    for (const host of hosts) {
      const body = { creator: alice.pub, name: 'x', members: [],
        ...clearProof(makeSession(alice), client.seqPub, NO_ENCLAVE) };
      const answer = await at(host, '/api/create-group', body);
      assert.equal(answer.status, 201, host);
      ({ group } = answer.json);
      assertOk(await at(host, `/group/${group}/sth`));
      assertOk(await at(host, `/enclave/${group}/info/manifest`));
    }
  });
  await check('and nowhere else', async () => {
    assertError(await client.post('/chat/api/create-group', {}), 'INVALID_ROUTE');
    assertError(await client.get(`/chat/group/${group}/sth`), 'INVALID_ROUTE');
    assertError(await at('chat.example.org', `/chat/group/${group}/sth`), 'INVALID_ROUTE');
  });
  await check('a singleton by its host has no path at all', async () => {
    assert.equal(assertOk(await at('names.example.org', '/nodes')).json.total, 0);
    assertOk(await at('names.example.org', '/sth'));
    assertError(await client.get('/registry/nodes'), 'INVALID_ROUTE');
    const answer = await client.post('/timeline/_bootstrap', { owner: alice.pub,
      ...clearProof(makeSession(alice), client.seqPub, NO_ENCLAVE) });
    assert.equal(answer.status, 201, 'others keep theirs');
  });
  await check('any other host falls to the paths', async () => {
    for (const host of ['example.org', 'xchat.example.org', 'chat.example.org.x', '127.0.0.1', 'a']) {
      assertError(await at(host, '/api/create-group', {}), 'INVALID_ROUTE');
      assertError(await at(host, `/enclave/${group}/sth`), 'ENCLAVE_NOT_FOUND');
    }
  });
  await check('no other service is below its hosts', async () => {
    assertError(await at('chat.example.org', `/enclave/${group}/bundle`, {}), 'INVALID_ROUTE');
    assertError(await at('chat.example.org', '/registry/nodes'), 'INVALID_ROUTE');
  });
  await check('/info/node shows the mount on both, as a reference', async () => {
    for (const host of ['chat.example.org', '127.0.0.1']) {
      const { services } = assertOk(await at(host, '/info/node')).json;
      assert.equal(services.chat.mount, '//chat.example.org/');
      assert.equal(services['enc-node'].mount, '/');
      assert.equal(new URL(services.chat.mount, 'https://n.example/x').href,
        'https://chat.example.org/');
    }
  });
  await check('curl by --resolve, HTTP/1.1 and HTTP/2', async () => {
    for (const [flag, version] of [['--http1.1', '1.1'], ['--http2-prior-knowledge', '2']]) {
      const how = [flag, '--resolve', `chat.example.org:${port}:127.0.0.1`];
      const there = await curl(...how, `http://chat.example.org:${port}/group/${group}/sth`);
      assert.deepEqual([there.status, there.version], [200, version]);
      const other = await curl(flag, `${url}/group/${group}/sth`);
      assert.deepEqual([other.status, other.json.code], [404, 'INVALID_ROUTE']);
    }
  });
  await check('nghttp: :authority in another case', async () => {
    const ask = (authority) => run('nghttp', [`-H:authority: ${authority}`,
      `${url}/group/${group}/sth`]).then(({ stdout }) => JSON.parse(stdout));
    assert.ok((await ask('Talk.Example.Org:77')).sig);
    assert.equal((await ask('else.example.org')).code, 'INVALID_ROUTE');
  });
  await check('a WebSocket by its Host', async () => {
    const frame = { type: 'Query', sub_id: 'a', enclave: group, from: alice.pub, content: {
      filter: {}, ...clearProof(makeSession(alice), client.seqPub, group) } };
    const there = await firstFrame(`${url}/group/${group}`, 'chat.example.org', frame);
    assert.deepEqual([there.type, there.event?.seq], ['Event', 0]);
    assert.equal((await firstFrame(`${url}/`, 'TALK.example.org:9', frame)).type, 'Event');
    assert.equal(await firstFrame(`${url}/group/${group}`, 'else.example.org', frame), 404);
  });
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });

  await check('a node whose services all have hosts has nothing at other hosts', async () => {
    const only = new Daemon({ args: ['--service', 'enc-node'],
      env: { ENCLAVED_SERVICES_ENC_NODE_HOSTS: '127.0.0.1' } });
    await only.start();
    assertOk(await request('GET', only.url, '/info/node'));
    assertError(await request('GET', only.url, '/info/node', undefined, { host: 'localhost' }),
      'INVALID_ROUTE');
    assert.equal((await only.stop()).code, 0);
  });
});
