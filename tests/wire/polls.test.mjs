#!/usr/bin/env node
// The fifth service, tests/polls: a list of its own and one file, on everything that the four stand on.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { runSuite } from './lib/check.mjs';
import { enclaveId, makeCommit, makeManifest, nonce } from './lib/commit.mjs';
import { start } from './lib/encctl.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon, PROGRAM } from './lib/process.mjs';
import { Socket } from './lib/socket.mjs';

const run = promisify(execFile);
const program = path.join(path.dirname(PROGRAM), 'enclaved_polls');
const encctl = path.join(path.dirname(PROGRAM), 'encctl_polls');

const row = (event, role, ops) => ({ event, role, ops: [ops] });
const RBAC = { roles: [], schema: [row('Poll', 'Owner', 'C'), row('Vote', 'Any', 'C'),
  row('*', 'Public', 'R'), row('Terminate', 'Owner', 'C')] };

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start({ program });
  const { client, url } = daemon;
  const [owner, ann, ben, cem] = [newKey(), newKey(), newKey(), newKey()];
  const at = (enclave) => `/polls/enclave/${enclave}`;
  const manifestOf = (rbac = RBAC) => makeManifest(owner, {
    enc_v: 1, RBAC: { ...rbac, initial_state: { Owner: [owner.pub] } }, meta: { nonce: nonce() } });
  const say = (key, enclave, type, content) =>
    client.post(at(enclave), makeCommit(key, enclave, type, content));
  const get = async (enclave, action) => assertOk(await client.get(at(enclave) + action)).json;
  const ask = async (enclave, question, options) =>
    assertOk(await say(owner, enclave, 'Poll', { question, options })).json.id;
  const vote = (key, enclave, poll, choice) => say(key, enclave, 'Vote', { poll, choice });
  const assertRefused = (answer) => {
    assertError(answer, 'INVALID_CONTENT');
    assert.equal(answer.json.step, 8);
  };
  let club, other, lunch, last;

  await check('it is listed, mounted and described like the others', async () => {
    const { services } = assertOk(await client.get('/info/node')).json;
    assert.deepEqual(services.polls,
      { mount: '/polls', encrypted: false, has_dataview: true, has_push: false });
    const { stdout } = await run(encctl, ['--json', 'matrix']);
    const cells = stdout.trim().split('\n').map((line) => JSON.parse(line).polls);
    assert.deepEqual(cells, ['static', '✓', '✗', '✗', 'perReq 1', '✗', '2', '2']);
    const help = (await run(program, ['--help'])).stdout;
    assert.match(help, /services\.polls\.hosts/);
  });
  await check('a client-signed Manifest with its schema makes an enclave, any other none', async () => {
    for (const more of [{ roles: ['Judge'] }, { schema: [...RBAC.schema].reverse() }]) {
      assertError(await client.post('/polls', manifestOf({ ...RBAC, ...more })), 'SCHEMA_MISMATCH');
    }
    const manifests = [manifestOf(), manifestOf()];
    for (const manifest of manifests) {
      assert.equal(assertOk(await client.post('/polls', manifest)).json.seq, 0);
      assert.equal(manifest.enclave, enclaveId(manifest));
    }
    [club, other] = manifests.map((manifest) => manifest.enclave);
    assertError(await client.get(`/enclave/${club}/sth`), 'ENCLAVE_NOT_FOUND');
    assertOk(await client.get(`/polls/ballot/${club}/sth`));
  });
  await check('polls and votes, one per voter, the last one counts', async () => {
    lunch = await ask(club, 'Lunch?', ['soup', 'bread', 'nothing']);
    assert.deepEqual((await get(club, `/polls/${lunch}`)).counts, [0, 0, 0]);
    for (const [key, choice] of [[ann, 0], [ben, 2], [cem, 2], [owner, 1]]) {
      assertOk(await vote(key, club, lunch, choice));
    }
    assert.deepEqual(await get(club, `/polls/${lunch}`), { id: lunch,
      poll: { question: 'Lunch?', options: ['soup', 'bread', 'nothing'] }, counts: [1, 1, 2] });
    assertOk(await vote(ben, club, lunch, 0));
    assert.deepEqual((await get(club, `/polls/${lunch}`)).counts, [2, 1, 1]);
  });
  await check('bad polls and bad votes are refused at step 8 and change nothing', async () => {
    const before = [await get(club, '/polls'), await get(club, '/info/enclave')];
    const polls = ['', '[]', '{}', { question: '', options: ['a', 'b'] },
      { question: 'x', options: ['a'] }, { question: 'x', options: 'ab' },
      { question: 'x', options: ['a', ''] }, { question: 'x', options: ['a', 7] },
      { question: 7, options: ['a', 'b'] },
      { question: 'x', options: Array.from({ length: 17 }, String) }];
    for (const content of polls) {
      assertRefused(await say(owner, club, 'Poll', content));
    }
    const votes = ['', '7', {}, { poll: lunch }, { choice: 0 }, { poll: 'ab', choice: 0 },
      { poll: lunch, choice: 3 }, { poll: lunch, choice: -1 }, { poll: lunch, choice: '0' },
      { poll: lunch, choice: 0.5 }, { poll: '00'.repeat(32), choice: 0 },
      { poll: lunch, choice: 2 ** 40 }];
    for (const content of votes) {
      assertRefused(await say(ann, club, 'Vote', content));
    }
    assertError(await say(ann, club, 'Poll', { question: 'x', options: ['a', 'b'] }),
      'UNAUTHORIZED');
    assertError(await vote(ann, other, lunch, 0), 'INVALID_CONTENT');
    assert.deepEqual([await get(club, '/polls'), await get(club, '/info/enclave')], before);
  });
  await check('GET /polls pages by id; other enclaves are elsewhere', async () => {
    const ids = [lunch];
    for (let i = 0; i < 101; i++) ids.push(await ask(club, `Number ${i}?`, ['yes', 'no']));
    assertOk(await vote(ann, club, ids[50], 1));
    ids.sort();
    const first = (await get(club, '/polls')).polls;
    const rest = (await get(club, `/polls?after=${first.at(-1).id}`)).polls;
    assert.deepEqual([...first, ...rest].map((poll) => poll.id), ids);
    assert.equal(first.length, 100);
    assert.deepEqual((await get(other, '/polls')).polls, []);
    assertError(await client.get(`${at(club)}/polls?after=x`), 'INVALID_QUERY');
  });
  await check('what is not there is 404', async () => {
    for (const id of ['00'.repeat(32), club]) {
      assertError(await client.get(`${at(club)}/polls/${id}`), 'EVENT_NOT_FOUND');
    }
    for (const id of ['x', lunch.slice(1), '']) {
      assertError(await client.get(`${at(club)}/polls/${id}`), 'INVALID_ROUTE');
    }
    assertError(await client.get(`${at(other)}/polls/${lunch}`), 'EVENT_NOT_FOUND');
    assertError(await client.get(`${at('00'.repeat(32))}/polls`), 'ENCLAVE_NOT_FOUND');
    assertError(await client.get('/polls/polls'), 'INVALID_ROUTE');
    assertError(await client.post(`${at(club)}/polls`, {}), 'METHOD_NOT_ALLOWED');
    assertError(await client.post(`${at(club)}/consistency`, {}), 'INVALID_ROUTE');
  });
  await check('both reads by curl', async () => {
    for (const action of ['/polls', `/polls/${lunch}`]) {
      const { stdout } = await run('curl', ['-sf', url + at(club) + action]);
      assert.deepEqual(JSON.parse(stdout), await get(club, action));
    }
  });
  await check('votes reach a WebSocket of its enclave', async () => {
    const socket = await Socket.open(client, at(club));
    const votes = socket.subscribe('v', { type: 'Query', enclave: club,
      content: { filter: { type: 'Vote', limit: 1 } } });
    while ((await votes.next()).type !== 'EOSE');
    const { id } = assertOk(await vote(cem, club, lunch, 1)).json;
    assert.equal((await votes.next()).event.id, id);
    await socket.close();
  });
  await check('counts survive a restart, and fsck finds no flaw', async () => {
    const before = await get(club, `/polls/${lunch}`);
    await daemon.restart('SIGKILL');
    const again = assertOk(await daemon.client.get(`${at(club)}/polls/${lunch}`)).json;
    assert.deepEqual(again, before);
    last = again;
    assert.equal((await daemon.stop()).code, 0);
    const fsck = await start(encctl, ['--json', 'fsck', daemon.data]).ended;
    assert.equal(fsck.code, 0, fsck.out + fsck.err);
  });
  await check('its rows, made again from its events, are the same', async () => {
    for (const words of [['--check'], [], ['--check']]) {
      const done = await start(encctl, ['--json', 'project', daemon.data, ...words]).ended;
      assert.equal(done.code, 0, done.out + done.err);
    }
    await daemon.start();
    const after = assertOk(await daemon.client.get(`${at(club)}/polls/${lunch}`)).json;
    assert.deepEqual(after, last);
    assert.equal((await daemon.stop()).code, 0);
  });
});
