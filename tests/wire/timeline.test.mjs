#!/usr/bin/env node
// The timeline: posts, likes, profiles, follows, search, one enclave per owner (protocol.md 11.5,
// 11.6). Reads go through curl.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runSuite } from './lib/check.mjs';
import { enclaveId, makeCommit, makeManifest, nonce } from './lib/commit.mjs';
import { ENCCTL } from './lib/encctl.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { eventFault, receiptFault } from './lib/event.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { clearProof, forgeToken, makeSession, NO_ENCLAVE } from './lib/session.mjs';
import { Socket } from './lib/socket.mjs';
import { mapWide } from './lib/wait.mjs';

const run = promisify(execFile);
const UNKNOWN = 'ab'.repeat(32);
const OFF_CURVE = 'ff'.repeat(32);

/* Appendix A. */
const row = (event, role, ...ops) => ({ event, role, ops });
const grants = ['Grant', 'Grant_Push', 'Revoke'].map((event) =>
  ({ ...row(event, 'Owner', 'C'), target_roles: ['DataView'] }));
const SCHEMA = [row('Post', 'Owner', 'C'), row('Profile', 'Owner', 'C'), row('Like', 'Any', 'C'),
  row('Unlike', 'Any', 'C'), row('Follow', 'Owner', 'C'), row('Unfollow', 'Owner', 'C'),
  row('Post', 'Self', 'U', 'D'), row('Profile', 'Self', 'U', 'D'), row('Like', 'Self', 'D'),
  row('*', 'Public', 'R'), row('*', 'DataView', 'P'), ...grants, row('Pause', 'Owner', 'C'),
  row('Resume', 'Owner', 'C'), row('Terminate', 'Owner', 'C'), row('Migrate', 'Owner', 'C'),
  row('Transfer_Owner', 'Owner', 'C')];

async function curl(url) {
  const { stdout } = await run('curl', ['-s', '-w', '\n%{http_code}', url]);
  const [, text, status] = stdout.match(/^([\s\S]*)\n(\d+)$/);
  return { status: Number(status), text, json: JSON.parse(text) };
}

const manifestOf = (key, owners = [key.pub], schema = SCHEMA) => makeManifest(key, {
  enc_v: 1, RBAC: { roles: ['DataView'], schema, initial_state: { Owner: owners } },
  meta: { nonce: nonce() } });

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { client } = daemon;
  const [alice, bob, carol, dave, erin] = Array.from({ length: 5 }, () => newKey());
  const post = (path, body) => client.post(`/timeline${path}`, body);
  const proofOf = (key, enclave = NO_ENCLAVE) =>
    clearProof(makeSession(key), client.seqPub, enclave);
  const bootstrap = (key, more = {}) =>
    post('/_bootstrap', { owner: key.pub, ...proofOf(key), ...more });
  const make = async (key) => (await bootstrap(key)).json.enclave;
  const send = (key, enclave, type, content, more) =>
    post(`/enclave/${enclave}`, makeCommit(key, enclave, type, content, more));
  const accept = async (key, enclave, type, content, more) =>
    assertOk(await send(key, enclave, type, content, more)).json;
  const change = (key, enclave, type, id, content = '') =>
    send(key, enclave, type, content, { tags: [['r', id]] });
  const read = (enclave, action) => curl(`${client.url}/timeline/user/${enclave}${action}`);
  const get = async (enclave, action) => assertOk(await read(enclave, action)).json;
  const seqOf = async (enclave) => (await get(enclave, '/info/enclave')).seq;
  const home = await make(alice);

  const assertNothingWritten = async (enclave, body) => {
    const before = [await seqOf(enclave), (await read(enclave, '/feed')).text];
    await body();
    assert.deepEqual([await seqOf(enclave), (await read(enclave, '/feed')).text], before);
  };

  await check('11.1 mount, fields and schema are those of the structure', async () => {
    const { services } = assertOk(await curl(`${client.url}/info/node`)).json;
    assert.deepEqual(services.timeline,
      { mount: '/timeline', encrypted: false, has_dataview: true, has_push: false });
    const manifest = await get(home, '/info/manifest');
    const { RBAC } = JSON.parse(manifest.content);
    assert.deepEqual(RBAC,
      { roles: ['DataView'], schema: SCHEMA, initial_state: { Owner: [alice.pub] } });
  });

  await check('11.6 _bootstrap: 201 with a Manifest that the node signed, then 200', async () => {
    const meta = { app: 'x' };
    const first = await bootstrap(bob, { meta });
    assert.equal(first.status, 201);
    const { enclave, seq_pub: seqPub, manifest, receipt } = first.json;
    assert.deepEqual(Object.keys(first.json), ['enclave', 'seq_pub', 'manifest', 'receipt']);
    assert.deepEqual([seqPub, manifest.from], [client.seqPub, client.seqPub]);
    assert.equal(eventFault(manifest, seqPub), null);
    assert.equal(enclaveId(manifest), enclave);
    assert.deepEqual([receipt.type, receipt.seq, receipt.id], ['Receipt', 0, manifest.id]);
    assert.equal(JSON.parse(manifest.content).meta.app, 'x');
    const second = await post('/enclave/x/_bootstrap', { owner: bob.pub, ...proofOf(bob) });
    assert.equal(second.status, 200);
    assert.deepEqual(second.json, first.json);
  });
  await check('11.6 20 calls at once make one enclave', async () => {
    for (let round = 0; round < 5; round++) {
      const key = newKey();
      const answers = await mapWide(Array(20).fill(proofOf(key)), 20, (proof) =>
        post('/_bootstrap', { owner: key.pub, ...proof }));
      assert.deepEqual([...new Set(answers.map((answer) => answer.text))].length, 1);
      assert.deepEqual(answers.map((answer) => answer.status).sort(),
        [...Array(19).fill(200), 201]);
    }
  });
  await check('11.6 session and proof must be the owner\'s (77)', async () => {
    const key = newKey();
    const none = { session: undefined, at: undefined, proof: undefined };
    assertError(await bootstrap(key, none), 'INVALID_SESSION');
    for (const name of Object.keys(none)) {
      assertError(await bootstrap(key, { [name]: undefined }), 'INVALID_SESSION');
    }
    assertError(await bootstrap(key, proofOf(bob)), 'INVALID_SESSION');
    assertError(await bootstrap(alice, proofOf(bob)), 'INVALID_SESSION');
    assertError(await bootstrap(key, proofOf(key, home)), 'INVALID_SESSION');
    assertError(await bootstrap(key, { session: forgeToken(key.pub) }), 'INVALID_SESSION');
    for (const owner of [undefined, 7, 'ab', OFF_CURVE]) {
      assertError(await bootstrap(key, { owner }), 'INVALID_REQUEST');
    }
    for (const meta of [7, [], { nonce: 'x' }]) {
      assertError(await bootstrap(key, { meta }), 'INVALID_REQUEST');
    }
    assertError(await post('/_bootstrap', '[]'), 'INVALID_REQUEST');
    assertError(await post('/_bootstrap', '{'), 'INVALID_REQUEST');
    assertError(await client.get('/timeline/_bootstrap'), 'METHOD_NOT_ALLOWED');
    assert.equal((await bootstrap(key)).status, 201, 'and nothing of that made one');
  });
  await check('11.6 with bootstrap.open nobody is asked for a session', async () => {
    const open = await Daemon.start({ env: { ENCLAVED_BOOTSTRAP_OPEN: 'true' } });
    const body = { owner: carol.pub };
    const [first, second] = [await open.client.post('/timeline/_bootstrap', body),
      await open.client.post('/timeline/_bootstrap', body)];
    assert.deepEqual([first.status, second.status], [201, 200]);
    assert.deepEqual(second.json, first.json);
    await open.stop();
  });
  await check('11.6 after Transfer_Owner the old owner may have a new one', async () => {
    const [old, heir] = [newKey(), newKey()];
    const first = await make(old);
    await accept(old, first, 'Transfer_Owner', { new_owner: heir.pub });
    const [again, inherited] = [await bootstrap(old), await bootstrap(heir)];
    assert.deepEqual([again.status, inherited.status], [201, 200]);
    assert.notEqual(again.json.enclave, first);
    assert.equal(inherited.json.enclave, first);
    assertError(await send(old, first, 'Post', { text: 'mine?' }), 'UNAUTHORIZED');
    await accept(heir, first, 'Post', { text: 'mine!' });
  });
  await check('11.6 a client-signed Manifest answers as POST / (75) and counts', async () => {
    const key = newKey();
    const manifest = manifestOf(key);
    const receipt = assertOk(await post('/_bootstrap', manifest)).json;
    assert.equal(receiptFault(receipt, manifest, client.seqPub), null);
    assertError(await post('/_bootstrap', manifest), 'DUPLICATE');
    assert.equal(assertOk(await bootstrap(key)).json.enclave, manifest.enclave);
    assertError(await post('', manifestOf(key, [key.pub], SCHEMA.slice(1))), 'SCHEMA_MISMATCH');
    const stranger = newKey();
    assertOk(await post('', manifestOf(key, [stranger.pub])));
    assert.equal((await bootstrap(stranger)).status, 201, 'a stranger made it, not they');
  });

  let posts;
  await check('11.5 the seven writes', async () => {
    const first = await accept(alice, home, 'Post', { text: 'Hello' });
    await accept(alice, home, 'Profile', { display_name: 'Alice', bio: 'climbs', avatar: 'a.png' });
    await accept(bob, home, 'Like', { ref_id: first.id });
    await accept(bob, home, 'Unlike', { ref_id: first.id });
    const follow = { enclave: UNKNOWN, pub: bob.pub };
    await accept(alice, home, 'Follow', follow);
    await accept(alice, home, 'Unfollow', follow);
    assertOk(await change(alice, home, 'Delete', first.id));
    assert.deepEqual((await get(home, '/posts')), { posts: [], next: null });
  });
  await check('11.5 a post and its members', async () => {
    const text = 'Grüße, 山の"ヤギ" 🐐\n\u0001';
    const receipt = await accept(alice, home, 'Post', { text, more: 'ignored' });
    const expected = { seq: receipt.seq, id: receipt.id, from_pub: alice.pub, text,
      timestamp: receipt.timestamp, likes: 0 };
    assert.deepEqual(await get(home, '/posts'), { posts: [expected], next: null });
    assert.deepEqual(await get(home, `/posts/${receipt.id}`), expected);
    assert.deepEqual(await get(home, `/posts/${receipt.id.toUpperCase()}`), expected);
    assert.deepEqual(await get(home, '/feed'),
      { posts: [{ ...expected, enclave: home }], next: null });
    assertError(await read(home, `/posts/${UNKNOWN}`), 'EVENT_NOT_FOUND');
    posts = [receipt];
  });
  await check('11.5 250 posts in pages: each once, newest first', async () => {
    const big = await make(carol);
    const receipts = [];
    for (let i = 0; i < 250; i++) receipts.push(await accept(carol, big, 'Post', { text: `#${i}` }));
    const newest = receipts.map(({ id }) => id).reverse();
    const walk = async (action, limit) => {
      const pages = [];
      let next = '';
      do {
        const page = await get(big, `${action}${next && `&before=${next}`}`);
        pages.push(page.posts);
        next = page.next;
      } while (next !== null);
      assert.deepEqual(pages.slice(0, -1).map((page) => page.length),
        Array(Math.ceil(250 / limit) - 1).fill(limit));
      return pages.flat();
    };
    for (const [action, limit] of [['/posts?x', 50], ['/posts?limit=100', 100],
      ['/posts?limit=25', 25], [`/posts?limit=100&from=${carol.pub}`, 100]]) {
      assert.deepEqual((await walk(action, limit)).map(({ id }) => id), newest, action);
    }
    for (const [action, limit] of [['/feed?x', 50], ['/feed?limit=100', 100]]) {
      const seen = await walk(action, limit);
      const order = receipts.map(({ id, timestamp }) => ({ id, timestamp }))
        .sort((a, b) => b.timestamp - a.timestamp || (a.id < b.id ? 1 : -1));
      assert.deepEqual(seen.map(({ id, timestamp }) => ({ id, timestamp })), order, action);
    }
    assert.deepEqual(await get(big, `/posts?from=${alice.pub}`), { posts: [], next: null });
    assert.equal((await get(big, '/health')).posts, 250);
  }, 60_000);
  await check('11.5 a feed whose posts share a millisecond loses none', async () => {
    const enclave = await make(erin);
    const commits = Array.from({ length: 60 }, (_, i) =>
      makeCommit(erin, enclave, 'Post', { text: `${i}` }, { exp: Date.now() + 60_000 + i }));
    await mapWide(commits, 60, async (commit) => assertOk(await post('', commit)));
    const seen = [];
    for (let next = ''; next !== null;) {
      const page = await get(enclave, `/feed?limit=7${next && `&before=${next}`}`);
      seen.push(...page.posts.map(({ text }) => text));
      next = page.next;
    }
    assert.equal(seen.length, 60);
    assert.equal(new Set(seen).size, 60);
  });

  await check('11.5 likes: one for each author, counted; Unlike; Delete of a Like', async () => {
    const [{ id }] = posts;
    const likes = () => get(home, `/likes/${id}`);
    assert.deepEqual(await likes(), { ref_id: id, count: 0, likes: [] });
    const first = await accept(bob, home, 'Like', { ref_id: id });
    await accept(bob, home, 'Like', { ref_id: id.toUpperCase() });
    const second = await accept(carol, home, 'Like', { ref_id: id });
    assert.deepEqual(await likes(), { ref_id: id, count: 2, likes: [
      { from_pub: bob.pub, seq: first.seq }, { from_pub: carol.pub, seq: second.seq }] });
    assert.equal((await get(home, `/posts/${id}`)).likes, 2);
    await accept(bob, home, 'Unlike', { ref_id: id });
    await accept(bob, home, 'Unlike', { ref_id: id });
    assertError(await change(bob, home, 'Delete', second.id), 'UNAUTHORIZED');
    assertOk(await change(carol, home, 'Delete', second.id));
    assert.deepEqual(await likes(), { ref_id: id, count: 0, likes: [] });
    await accept(bob, home, 'Like', { ref_id: id });
    assert.equal((await likes()).count, 1);
    assert.deepEqual(await get(home, `/likes/${UNKNOWN}`),
      { ref_id: UNKNOWN, count: 0, likes: [] });
  });
  await check('11.5 Update replaces the text, Delete removes the post', async () => {
    const { id, seq } = await accept(alice, home, 'Post', { text: 'first' });
    assertOk(await change(alice, home, 'Update', id, { text: 'second' }));
    const shown = await get(home, `/posts/${id}`);
    assert.deepEqual([shown.text, shown.seq, shown.id], ['second', seq, id]);
    await assertNothingWritten(home, async () => {
      assertError(await change(bob, home, 'Update', id, { text: 'third' }), 'UNAUTHORIZED');
      assertError(await change(alice, home, 'Update', id, { text: '' }), 'INVALID_CONTENT');
      assertError(await change(alice, home, 'Update', id, 'third'), 'INVALID_CONTENT');
      assertError(await change(bob, home, 'Delete', id), 'UNAUTHORIZED');
    });
    assertOk(await change(alice, home, 'Delete', id));
    assertError(await read(home, `/posts/${id}`), 'EVENT_NOT_FOUND');
    assertError(await change(alice, home, 'Update', id, ''), 'ALREADY_DELETED');
    assert.ok((await get(home, '/posts')).posts.every((shownPost) => shownPost.id !== id));
  });
  await check('11.5 a profile is the newest, updated, deleted', async () => {
    const profile = () => get(home, `/profile/${alice.pub}`);
    assert.deepEqual(await profile(),
      { from_pub: alice.pub, display_name: 'Alice', bio: 'climbs', avatar: 'a.png' });
    const { id } = await accept(alice, home, 'Profile', { display_name: 'Alicia' });
    assert.deepEqual(await profile(),
      { from_pub: alice.pub, display_name: 'Alicia', bio: null, avatar: null });
    assertOk(await change(alice, home, 'Update', id, { display_name: 'Alice', bio: 'Matterhorn' }));
    assert.deepEqual(await profile(),
      { from_pub: alice.pub, display_name: 'Alice', bio: 'Matterhorn', avatar: null });
    assertError(await read(home, `/profile/${bob.pub}`), 'IDENTITY_NOT_FOUND');
    assertOk(await change(alice, home, 'Delete', id));
    assertError(await read(home, `/profile/${alice.pub}`), 'IDENTITY_NOT_FOUND');
    await accept(alice, home, 'Profile', { display_name: 'Alice', bio: 'Gipfel: MATTERHORN' });
  });

  await check('11.5 search folds case, in any script, in parts of words', async () => {
    const enclave = await make(dave);
    const said = ['Die STRASSE ist naß', 'the goat 🐐 climbs', 'Ελλάδα', 'Привет, мир', 'plain'];
    const ids = [];
    for (const text of said) ids.push((await accept(dave, enclave, 'Post', { text })).id);
    await accept(dave, enclave, 'Profile', { display_name: 'Dave', bio: 'Straßenbahn' });
    const search = async (q, more = '') =>
      get(enclave, `/search?q=${encodeURIComponent(q)}${more}`);
    for (const [q, wanted] of [['straße', [0]], ['NASS', [0]], ['🐐', [1]], ['oat 🐐 CL', [1]],
      ['ΕΛΛΆΔΑ', [2]], ['привет, МИР', [3]], ['в', [3]], ['nowhere', []], ['a', [4, 1, 0]]]) {
      const found = await search(q);
      assert.deepEqual(found.posts.map(({ id }) => id), wanted.map((i) => ids[i]), q);
    }
    const found = await search('STRASSE');
    const [shown] = found.posts;
    assert.deepEqual(shown, { ...await get(enclave, `/posts/${ids[0]}`), enclave });
    assert.deepEqual(found.profiles,
      [{ from_pub: dave.pub, display_name: 'Dave', bio: 'Straßenbahn', avatar: null }]);
    assert.deepEqual((await search('dav')).profiles.length, 1);
    assert.equal((await search('a', '&limit=2')).posts.length, 2);
    assertOk(await change(dave, enclave, 'Update', ids[4], { text: 'fancy' }));
    assertOk(await change(dave, enclave, 'Delete', ids[1]));
    assert.deepEqual((await search('plain')).posts, []);
    assert.deepEqual((await search('FANCY')).posts.map(({ id }) => id), [ids[4]]);
    assert.deepEqual((await search('goat')).posts, []);
    const plus = await get(enclave, '/search?q=strasse+ist');
    assert.equal(plus.posts.length, 1, '+ is a space');
  });
  await check('101 lengths are code points', async () => {
    const key = newKey();
    const enclave = await make(key);
    for (const point of ['a', 'ß', '🐐']) {
      await accept(key, enclave, 'Post', { text: point.repeat(5000) });
      assertError(await send(key, enclave, 'Post', { text: point.repeat(5001) }),
        'INVALID_CONTENT');
      assertOk(await read(enclave, `/search?q=${encodeURIComponent(point.repeat(100))}`));
      assertError(await read(enclave, `/search?q=${encodeURIComponent(point.repeat(101))}`),
        'INVALID_QUERY');
    }
  });
  await check('11.5 health: how far everything is', async () => {
    const seq = await seqOf(home);
    assert.deepEqual(await get(home, '/health'), { status: 'ok', service: 'timeline',
      enclave: home, seq, posts: (await get(home, '/posts')).posts.length,
      synced: { [home]: seq } });
  });

  await check('71 bad contents are INVALID_CONTENT at step 8 and write nothing', async () => {
    const bad = { Post: ['', 'x', '[]', {}, { text: '' }, { text: 1 }, { text: null },
      '{"text":"\\ud800"}', '{"text":"a","text":"b"}'],
    Profile: ['', {}, { display_name: 1 }, { display_name: '' }, { display_name: 'a', bio: 1 },
      { display_name: 'a', avatar: null }],
    Like: ['', {}, { ref_id: 'ab' }, { ref_id: 7 }],
    Unlike: ['', {}, { ref_id: `${UNKNOWN}00` }],
    Follow: ['', {}, { enclave: UNKNOWN }, { pub: bob.pub }, { enclave: 'x', pub: bob.pub },
      { enclave: UNKNOWN, pub: OFF_CURVE }, { enclave: UNKNOWN, pub: bob.pub, uri: 'ftp://a.org' },
      { enclave: UNKNOWN, pub: bob.pub, uri: `https://a.org/${'x'.repeat(512)}` }],
    Unfollow: ['', { enclave: 7, pub: bob.pub }] };
    await assertNothingWritten(home, async () => {
      for (const [type, contents] of Object.entries(bad)) {
        for (const content of contents) {
          const refusal = assertError(await send(alice, home, type, content), 'INVALID_CONTENT');
          assert.equal(refusal.step, 8, type);
        }
      }
      for (const type of ['Post', 'Profile', 'Follow', 'Unfollow']) {
        assertError(await send(bob, home, type, {}), 'UNAUTHORIZED');
      }
      assertError(await send(alice, home, 'Message', 'x'), 'UNAUTHORIZED');
    });
  });
  await check('78, 100 bad parameters are INVALID_QUERY, bad ids INVALID_ROUTE', async () => {
    for (const action of ['/posts?limit=0', '/posts?limit=101', '/posts?limit=', '/posts?before=x',
      '/posts?from=ab', '/posts?limit=1&limit=2', '/feed?limit=101', '/feed?limit=-1',
      '/feed?before=', '/feed?before=1-2', '/search', '/search?q=', '/search?q=%ff',
      '/search?q=%', '/search?q=a&limit=0', '/search?q=a&limit=1e1']) {
      assertError(await read(home, action), 'INVALID_QUERY');
    }
    for (const action of ['/posts/x', '/posts/', '/likes/12', `/profile/${UNKNOWN}0`,
      `/likes/${UNKNOWN}/x`, '/nope']) {
      assertError(await read(home, action), 'INVALID_ROUTE');
      assertError(await post(`/enclave/${home}${action}`, {}), 'INVALID_ROUTE');
    }
    for (const action of ['/posts', '/feed', '/search', '/health', `/likes/${UNKNOWN}`]) {
      assertError(await post(`/enclave/${home}${action}`, {}), 'METHOD_NOT_ALLOWED');
      assertError(await read(UNKNOWN, action === '/search' ? '/search?q=a' : action),
        'ENCLAVE_NOT_FOUND');
    }
    assertError(await client.get(`/timeline/enclave/${home}/push`), 'METHOD_NOT_ALLOWED');
    assertError(await client.get('/timeline/posts'), 'INVALID_ROUTE');
    assertError(await client.get(`/enclave/${home}/posts`), 'INVALID_ROUTE');
    assertError(await client.get(`/chat/enclave/${home}/sth`), 'ENCLAVE_NOT_FOUND');
  });
  await check('11.7 a push that is none, or that nobody asked for, changes nothing', async () => {
    await assertNothingWritten(home, async () => {
      for (const body of ['', '{', '[]', '{}', { type: 'Push' }]) {
        const answer = await post(`/enclave/${home}/push`, body);
        assert.ok([400, 403].includes(answer.status), answer.text);
      }
    });
  });
  await check('9 a WebSocket sees what is written, with @noble signatures and ws', async () => {
    const socket = await Socket.open(client, `/timeline/user/${home}`);
    const live = socket.subscribe('live', { type: 'Query', enclave: home,
      content: { filter: { type: 'Post' } } });
    while ((await live.next()).type !== 'EOSE');
    const { id } = await accept(alice, home, 'Post', { text: 'to whom it may concern' });
    const frame = await live.next();
    assert.deepEqual([frame.type, frame.event.id], ['Event', id]);
    assert.equal(eventFault(frame.event, client.seqPub), null);
    assert.equal((await get(home, '/posts?limit=1')).posts[0].id, id, 'and the row was there first');
    await socket.close();
  });

  await check('after a restart everything answers as before', async () => {
    const paths = ['/posts', '/feed', '/health', `/profile/${alice.pub}`, '/search?q=e'];
    const before = await mapWide(paths, 1, async (action) => (await read(home, action)).text);
    await daemon.restart('SIGKILL');
    const again = await mapWide(paths, 1, async (action) =>
      (await curl(`${daemon.url}/timeline/user/${home}${action}`)).text);
    assert.deepEqual(again, before);
    const { status, json } = await daemon.client.post('/timeline/_bootstrap',
      { owner: alice.pub, ...proofOf(alice) });
    assert.deepEqual([status, json.enclave], [200, home]);
  });
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  await check('folded again from the log the rows are the same bytes', async () => {
    const { stdout } = await run(ENCCTL, ['project', daemon.data, '--check']);
    assert.ok(stdout.length > 0);
  });
});
