#!/usr/bin/env node
// Subscriptions and commits over WebSocket (protocol.md 9).

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { envelope } from './lib/client.mjs';
import { makeCommit, makeManifest } from './lib/commit.mjs';
import { assertErrorBody, assertOk } from './lib/errors.mjs';
import { eventFault, eventOf, receiptFault } from './lib/event.mjs';
import { Enclave, club, refersTo, wall } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { makeSession } from './lib/session.mjs';
import { Socket } from './lib/socket.mjs';
import { sleep } from './lib/wait.mjs';

const UNKNOWN = 'ab'.repeat(32);
const QUIET_MS = 250;

const seqs = (frames) => frames.map((frame) => frame.event.seq);

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { client } = daemon;
  const sockets = [];
  const connect = async (path) => {
    sockets.push(await Socket.open(client, path));
    return sockets.at(-1);
  };
  const create = (content) => Enclave.create(client, content);
  const grow = async (enclave, n) => {
    for (let i = 0; i < n; i++) await enclave.post(enclave.owner, `${i}`);
  };

  async function assertQuiet(...inboxes) {
    await sleep(QUIET_MS);
    for (const inbox of inboxes) assert.deepEqual(inbox.frames, []);
  }

  async function assertClosed(subscription, reason, timeout) {
    const { subId } = subscription;
    assert.deepEqual(await subscription.next(timeout), { type: 'Closed', sub_id: subId, reason });
  }

  await check('9.3 stored events, EOSE, then live events, in the order of seq', async () => {
    const enclave = await create(wall);
    await grow(enclave, 3);
    const socket = await connect();
    const all = socket.query('all', enclave.id, {});
    assert.deepEqual(seqs(await all.stored()), [0, 1, 2, 3]);
    await grow(enclave, 3);
    const live = await all.live(3);
    assert.deepEqual(seqs(live), [4, 5, 6]);
    for (const { event, status, sub_id: name } of live) {
      assert.equal(eventFault(event, client.seqPub), null);
      assert.deepEqual([status, name], ['active', 'all']);
    }
    await assertQuiet(all, socket.rest);
  });
  await check('9 upgrade on /, /enclave/<id>, /<id>, in either case', async () => {
    const enclave = await create(wall);
    for (const path of ['/', `/enclave/${enclave.id}`, `/${enclave.id}`,
      `/enclave/${enclave.id.toUpperCase()}`]) {
      const socket = await connect(path);
      assert.deepEqual(seqs(await socket.query('s', enclave.id, {}).stored()), [0]);
    }
  });
  await check('9 upgrade elsewhere is refused', async () => {
    const enclave = await create(wall);
    for (const path of ['/nope', `/enclave/${enclave.id}/sth`, '/enclave/x']) {
      await assert.rejects(connect(path));
    }
  });
  await check('9 many subscriptions to many enclaves share a socket', async () => {
    const socket = await connect();
    const enclaves = await Promise.all([1, 2, 3].map(() => create(wall)));
    const subs = enclaves.flatMap((enclave, i) => [socket.query(`a${i}`, enclave.id, {}),
      socket.query(`b${i}`, enclave.id, { type: 'Post' })]);
    await Promise.all(subs.map((sub) => sub.stored()));
    await Promise.all(enclaves.map((enclave, i) => grow(enclave, i + 1)));
    for (const [i, sub] of subs.entries()) {
      assert.equal((await sub.live(1 + (i >> 1))).length, 1 + (i >> 1));
    }
    await assertQuiet(...subs, socket.rest);
  });
  await check('8.3 a subscription with a session: sealed frames, a fresh nonce each', async () => {
    const enclave = await create();
    const member = await enclave.newHolder('Member');
    const sub = (await connect()).query('s', enclave.id, { type: 'Post' }, { as: member });
    await sub.stored();
    const posts = [await enclave.post(member, 'one'), await enclave.post(member, 'two')];
    const frames = await sub.live(2);
    frames.forEach((frame, i) => {
      assert.equal(typeof frame.sealed, 'string');
      assert.deepEqual([frame.event.id, frame.status], [posts[i].id, 'active']);
    });
    assert.notEqual(frames[0].sealed.slice(0, 32), frames[1].sealed.slice(0, 32));
  });
  await check('9.3, 60 limit and reverse shape the stored events only', async () => {
    const enclave = await create(wall);
    await grow(enclave, 5);
    const socket = await connect();
    const sub = socket.query('s', enclave.id, { limit: 2, reverse: true });
    assert.deepEqual(seqs(await sub.stored()), [5, 4]);
    const first = socket.query('t', enclave.id, { limit: 3 });
    assert.deepEqual(seqs(await first.stored()), [0, 1, 2]);
    await grow(enclave, 3);
    assert.deepEqual(seqs(await sub.live(3)), [6, 7, 8]);
    assert.deepEqual(seqs(await first.live(3)), [6, 7, 8]);
  });
  await check('8.4 live events pass the filter', async () => {
    const enclave = await create();
    const member = await enclave.newHolder('Member');
    const socket = await connect();
    const filters = { from: { from: member.pub }, note: { type: ['Note', 'Secret'] },
      tag: { tags: { k: 'v' } }, from10: { seq: { start_at: 5 } } };
    const subs = {};
    for (const [name, filter] of Object.entries(filters)) {
      subs[name] = socket.query(name, enclave.id, filter, { as: enclave.owner });
      await subs[name].stored();
    }
    await enclave.post(member, 'a');
    await enclave.add(member, 'Note', 'b');
    await enclave.post(enclave.owner, 'c', { tags: [['k', 'v']] });
    await enclave.add(enclave.owner, 'Secret', 'd');
    assert.deepEqual(seqs(await subs.from.live(2)), [2, 3]);
    assert.deepEqual(seqs(await subs.note.live(2)), [3, 5]);
    assert.deepEqual(seqs(await subs.tag.live(1)), [4]);
    assert.deepEqual(seqs(await subs.from10.live(1)), [5]);
    await assertQuiet(...Object.values(subs));
  });
  await check('9.3.4 an Update or Delete reaches those who match its target', async () => {
    const enclave = await create(wall);
    const post = await enclave.post(enclave.owner, 'x', { tags: [['k', 'v']] });
    const socket = await connect();
    const byTag = socket.query('tag', enclave.id, { tags: { k: 'v' } });
    const byType = socket.query('type', enclave.id, { type: 'Update' });
    const notes = socket.query('note', enclave.id, { type: 'Note' });
    for (const sub of [byTag, byType, notes]) await sub.stored();
    const update = await enclave.add(enclave.owner, 'Update', 'y', refersTo(post.id));
    const deleted = await enclave.add(enclave.owner, 'Delete', '', refersTo(post.id));
    assert.deepEqual(seqs(await byTag.live(2)), [update.seq, deleted.seq]);
    assert.deepEqual(seqs(await byType.live(1)), [update.seq]);
    await assertQuiet(byTag, byType, notes);
  });

  await check('9.4, 66 Close is answered client_close, of the unknown ignored', async () => {
    const enclave = await create(wall);
    const socket = await connect();
    const sub = socket.query('s', enclave.id, {});
    await sub.stored();
    socket.send({ type: 'Close', sub_id: 'unknown' });
    sub.close();
    await assertClosed(sub, 'client_close');
    sub.close();
    await grow(enclave, 1);
    await assertQuiet(sub, socket.rest);
  });
  await check('63 reuse of a sub_id: Closed replaced comes before the new frames', async () => {
    const enclave = await create(wall);
    const socket = await connect();
    await socket.query('s', enclave.id, {}).stored();
    const sub = socket.query('s', enclave.id, { type: 'Post' });
    await assertClosed(sub, 'replaced');
    assert.deepEqual(await sub.stored(), []);
    await grow(enclave, 2);
    assert.deepEqual(seqs(await sub.live(2)), [1, 2]);
    await assertQuiet(sub);
  });
  await check('9.3 complete: an upper bound that has passed, ids that are served', async () => {
    const enclave = await create(wall);
    await grow(enclave, 3);
    const { events } = assertOk(await client.query(enclave.id, {})).content;
    const ids = events.slice(1).map(({ event }) => event.id);
    const socket = await connect();
    const done = [[{ seq: { end_at: 3 } }, 4], [{ seq: { end_before: 2 } }, 2], [{ seq: 1 }, 1],
      [{ timestamp: { end_at: Date.now() - 1 } }, null], [{ id: ids }, 3], [{ id: ids[0] }, 1]];
    for (const [i, [filter, count]] of done.entries()) {
      const sub = socket.query(`s${i}`, enclave.id, filter);
      const stored = await sub.stored();
      if (count !== null) assert.equal(stored.length, count);
      await assertClosed(sub, 'complete');
    }
  });
  await check('9.3 an upper bound ahead ends when it is reached', async () => {
    const enclave = await create(wall);
    const socket = await connect();
    const bySeq = socket.query('seq', enclave.id, { seq: { end_at: 2 } });
    assert.equal((await bySeq.stored()).length, 1);
    await grow(enclave, 3);
    assert.deepEqual(seqs(await bySeq.live(2)), [1, 2]);
    await assertClosed(bySeq, 'complete');
  });
  await check('62, 87 a timestamp bound that passes while live ends within a second', async () => {
    const enclave = await create(wall);
    const socket = await connect();
    const sub = socket.query('time', enclave.id, { timestamp: { end_at: Date.now() + 700 } });
    await sub.stored();
    await grow(enclave, 1);
    assert.deepEqual(seqs(await sub.live(1)), [1]);
    await assertClosed(sub, 'complete', 2500);
  });
  await check('9.4 an invalid filter is an Error with sub_id and no subscription', async () => {
    const enclave = await create(wall);
    const socket = await connect();
    const sub = socket.query('s', enclave.id, { limit: 0 });
    const error = await sub.next();
    assertErrorBody(error, 'INVALID_FILTER');
    assert.equal(error.sub_id, 's');
    await grow(enclave, 1);
    await assertQuiet(sub);
  });
  await check('ENCLAVE_NOT_FOUND comes as an Error with sub_id', async () => {
    const sub = (await connect()).query('s', UNKNOWN, {});
    assertErrorBody(await sub.next(), 'ENCLAVE_NOT_FOUND');
  });
  await check('9.1 sub_id is 1 to 64 characters', async () => {
    const enclave = await create(wall);
    const socket = await connect();
    const { body } = envelope(client.seqPub, 'Query', enclave.id, {});
    for (const name of [undefined, '', 'x'.repeat(65), 1, null, ['s']]) {
      socket.send({ ...body, sub_id: name });
      assertErrorBody(await socket.next(), 'INVALID_REQUEST');
    }
    for (const name of ['x', 'x'.repeat(64), 'é"\\\u0000 ']) {
      await socket.query(name, enclave.id, {}).stored();
    }
  });
  await check('9.5, 64 the 65th subscription is RATE_LIMITED until one is closed', async () => {
    const enclave = await create(wall);
    const socket = await connect();
    const subs = Array.from({ length: 64 }, (_, i) => socket.query(`s${i}`, enclave.id, {}));
    for (const sub of subs) await sub.stored();
    const extra = socket.query('extra', enclave.id, {});
    const error = await extra.next();
    assertErrorBody(error, 'RATE_LIMITED');
    assert.equal(error.sub_id, 'extra');
    const again = socket.query('s0', enclave.id, {});
    await assertClosed(again, 'replaced');
    await again.stored();
    subs[1].close();
    await assertClosed(subs[1], 'client_close');
    await socket.query('extra', enclave.id, {}).stored();
    await grow(enclave, 1);
    for (const sub of subs.slice(2)) assert.deepEqual(seqs(await sub.live(1)), [1]);
  });
  await check('58 on /enclave/<id> other enclaves are INVALID_REQUEST', async () => {
    const [one, two] = [await create(wall), await create(wall)];
    const socket = await connect(`/enclave/${one.id}`);
    await socket.query('one', one.id, {}).stored();
    assertErrorBody(await socket.query('two', two.id, {}).next(), 'INVALID_REQUEST');
    const commit = two.make(two.owner, 'Post', 'x');
    socket.commit(commit);
    const error = await socket.next();
    assertErrorBody(error, 'INVALID_REQUEST');
    assert.equal(error.hash, commit.hash);
  });
  await check('66 malformed and unknown frames are INVALID_REQUEST, the socket lives', async () => {
    const enclave = await create(wall);
    const socket = await connect();
    for (const frame of ['', 'x', '{', '[]', '1', 'null', '{}', '{"type":"Nope"}', '{"type":1}',
      '{"type":"Close"}', '{"type":"Close","sub_id":1}',
      '{"type":"Close","sub_id":"a","sub_id":"b"}',
      `{"type":"Query","x":${'['.repeat(64)}${']'.repeat(64)}}`]) {
      socket.send(frame);
      assertErrorBody(await socket.next(), 'INVALID_REQUEST');
    }
    await socket.query('s', enclave.id, {}).stored();
  });
  await check('9 a binary frame gets a Notice and is ignored', async () => {
    const enclave = await create(wall);
    const socket = await connect();
    socket.raw.send(Buffer.from(JSON.stringify(enclave.make(enclave.owner, 'Post', 'binary'))));
    const notice = await socket.next();
    assert.equal(notice.type, 'Notice');
    assert.equal(typeof notice.message, 'string');
    assert.equal((await client.info(enclave.id)).seq, 0);
    await socket.query('s', enclave.id, {}).stored();
  });
  await check('9.5 a frame above 1 MiB is refused', async () => {
    const socket = await connect();
    socket.send(`{"type":"Query","x":"${'x'.repeat(1_048_600)}"}`);
    await sleep(300);
    if (!socket.closed) assertErrorBody(await socket.next(), 'TOO_LARGE');
    else assert.equal(socket.closed.code, 1009);
  });
  await check('RFC 6455 ping is answered, fragments are joined', async () => {
    const enclave = await create(wall);
    const socket = await connect();
    const pong = new Promise((resolve) => socket.raw.on('pong', resolve));
    socket.raw.ping('are you there');
    assert.equal(String(await pong), 'are you there');
    const commit = JSON.stringify(enclave.make(enclave.owner, 'Post', 'in fragments'));
    socket.raw.send(commit.slice(0, 20), { fin: false });
    socket.raw.send(commit.slice(20, 50), { fin: false });
    socket.raw.send(commit.slice(50), { fin: true });
    assert.equal((await socket.next()).type, 'Receipt');
  });

  await check('9.1 plain commits over the socket: Receipt, or Error with hash', async () => {
    const enclave = await create(wall);
    const socket = await connect();
    const commit = enclave.make(enclave.owner, 'Post', 'x');
    socket.commit(commit);
    const receipt = await socket.next();
    assert.equal(receiptFault(receipt, commit, client.seqPub), null);
    socket.commit(commit);
    const again = await socket.next();
    assertErrorBody(again, 'DUPLICATE');
    assert.deepEqual([again.hash, again.receipt], [commit.hash, receipt]);
    const refused = enclave.make(newKey(), 'Terminate');
    socket.commit(refused);
    const error = await socket.next();
    assertErrorBody(error, 'UNAUTHORIZED');
    assert.equal(error.hash, refused.hash);
    for (const [code, change] of [['INVALID_COMMIT', { content: 1 }], ['EXPIRED', { exp: 1 }],
      ['UNSUPPORTED_ALG', { alg: 'x' }], ['INVALID_SIGNATURE', { sig: '00'.repeat(64) }]]) {
      const made = enclave.make(enclave.owner, 'Post', code, { exp: change.exp ?? Date.now() });
      socket.commit({ ...made, ...change });
      const told = await socket.next();
      assertErrorBody(told, code);
      assert.equal(told.hash, made.hash, code);
    }
  });
  await check('57 commits of one socket are answered in their order', async () => {
    const [one, two] = [await create(wall), await create(wall)];
    const socket = await connect();
    const commits = Array.from({ length: 60 }, (_, i) => {
      const enclave = i % 3 ? one : two;
      return i % 10 === 9 ? enclave.make(newKey(), 'Terminate', `${i}`)
        : enclave.make(enclave.owner, 'Post', `${i}`);
    });
    commits.forEach((commit) => socket.commit(commit));
    const answers = [];
    while (answers.length < commits.length) answers.push(await socket.next());
    for (const enclave of [one, two]) {
      const sent = commits.filter((c) => c.enclave === enclave.id).map((c) => c.hash);
      const got = answers.map((a) => a.hash).filter((hash) => sent.includes(hash));
      assert.deepEqual(got, sent);
    }
  });
  await check('59 a sealed commit: Receipt with content and hash', async () => {
    const enclave = await create();
    const socket = await connect();
    const commit = enclave.make(enclave.owner, 'Post', 'sealed');
    const open = socket.commitSealed(commit, newKey());
    const { content, ...frame } = await socket.next();
    assert.deepEqual(frame, { type: 'Receipt', hash: commit.hash });
    const receipt = open(content);
    assert.equal(receiptFault(receipt, commit, client.seqPub), null);
    const { content: { events } } = await client.query(enclave.id, { id: receipt.id },
      { as: enclave.owner });
    assert.deepEqual(events[0].event, { ...eventOf(commit, receipt), type: 'Post' });
  });
  await check('94 the Error of a sealed commit: inner hash once opened, else none', async () => {
    const enclave = await create();
    const socket = await connect();
    const commit = enclave.make(newKey(), 'Post', 'no right');
    socket.commitSealed(commit, newKey());
    const refused = await socket.next();
    assertErrorBody(refused, 'UNAUTHORIZED');
    assert.equal(refused.hash, commit.hash);
    socket.commitSealed(commit, newKey(), { content: 'A'.repeat(80) });
    const closed = await socket.next();
    assertErrorBody(closed, 'DECRYPT_FAILED');
    assert.equal(closed.hash, undefined);
    socket.commitSealed(commit, newKey(), { enclave: UNKNOWN });
    const other = await socket.next();
    assertErrorBody(other, 'INVALID_REQUEST');
    assert.equal(other.hash, commit.hash);
  });
  await check('9.1 a Manifest over the socket, then its subscription', async () => {
    const socket = await connect();
    const key = newKey();
    const commit = makeManifest(key, wall(key));
    socket.commit(commit);
    assert.equal((await socket.next()).seq, 0);
    assert.deepEqual(seqs(await socket.query('s', commit.enclave, {}).stored()), [0]);
    socket.commit(makeCommit(key, commit.enclave, 'Post', 'x'));
    assert.equal((await socket.next()).seq, 1);
  });

  await check('9.5, 86 Revoke mid-stream: access_revoked, the socket stays', async () => {
    const enclave = await create(club);
    const [member, other] = [await enclave.newHolder('Member'), await enclave.newHolder('Member')];
    const socket = await connect();
    const sub = socket.query('m', enclave.id, {}, { as: member });
    const stays = socket.query('o', enclave.id, {}, { as: other });
    await sub.stored();
    await stays.stored();
    await enclave.post(other, 'before');
    assert.equal((await sub.live(1))[0].event.type, 'Post');
    await enclave.add(enclave.owner, 'Revoke', { identity: member.pub, role: 'Member' });
    await enclave.post(other, 'after');
    await assertClosed(sub, 'access_revoked');
    assert.deepEqual((await stays.live(3)).map((f) => f.event.type), ['Post', 'Revoke', 'Post']);
    await assertQuiet(sub);
    assert.deepEqual(await socket.query('m', enclave.id, {}, { as: member }).stored(), []);
  });
  await check('9.5 R lost by Transfer_Owner, Force_Move, AC_Bundle: access_revoked', async () => {
    const rows = ['Transfer_Owner', 'Force_Move', 'AC_Bundle'].map(
      (event) => ({ event, role: 'Owner', ops: ['C'] }));
    const enclave = await create((key, options) => {
      const manifest = club(key, options);
      manifest.RBAC.schema.push(...rows);
      return manifest;
    });
    const { owner } = enclave;
    const [moved, bundled] = [await enclave.newHolder('Member'), await enclave.newHolder('Member')];
    const socket = await connect();
    const subs = [moved, bundled, owner].map(
      (as, i) => socket.query(`s${i}`, enclave.id, { type: 'Post' }, { as }));
    for (const sub of subs) await sub.stored();
    await enclave.add(owner, 'Force_Move', { identity: moved.pub, to: null });
    await assertClosed(subs[0], 'access_revoked');
    await enclave.add(owner, 'AC_Bundle', { operations: [
      { type: 'Revoke', identity: bundled.pub, role: 'Member' }] });
    await assertClosed(subs[1], 'access_revoked');
    await enclave.add(owner, 'Transfer_Owner', { new_owner: newKey().pub });
    await assertClosed(subs[2], 'access_revoked');
  });
  await check('64, 65, 86 without R: EOSE, subscribed, sees what it may from then', async () => {
    const enclave = await create(club);
    const guest = newKey();
    const sub = (await connect()).query('s', enclave.id, {}, { as: guest });
    assert.deepEqual(await sub.stored(), []);
    await enclave.post(enclave.owner, 'unseen');
    await enclave.grant(newKey(), 'Member');
    await assertQuiet(sub);
    const grant = await enclave.grant(guest, 'Member');
    const post = await enclave.post(enclave.owner, 'seen');
    assert.deepEqual(seqs(await sub.live(2)), [grant.seq, post.seq]);
  });
  await check('9.5 a session that ends: session_expired, the socket stays', async () => {
    const enclave = await create();
    const expires = Math.floor(Date.now() / 1000) - 56;
    const socket = await connect();
    const session = makeSession(enclave.owner, expires);
    const sub = socket.query('s', enclave.id, {}, { as: enclave.owner, session });
    await sub.stored();
    await enclave.post(enclave.owner, 'in time');
    await sub.live(1);
    await assertClosed(sub, 'session_expired', 8000);
    const over = Date.now() - (expires + 60) * 1000;
    assert.ok(over >= -50 && over < 2500, `${over} ms after its end`);
    await enclave.post(enclave.owner, 'too late');
    await assertQuiet(sub);
    await socket.query('s', enclave.id, {}, { as: enclave.owner }).stored();
  });
  await check('4.1 paused: subscriptions go on', async () => {
    const enclave = await create();
    const sub = (await connect()).query('s', enclave.id, {}, { as: enclave.owner });
    await sub.stored();
    for (const type of ['Pause', 'Resume', 'Post']) await enclave.add(enclave.owner, type);
    assert.deepEqual((await sub.live(3)).map((f) => f.event.type), ['Pause', 'Resume', 'Post']);
  });
  for (const [type, reason] of [['Terminate', 'enclave_terminated'],
    ['Migrate', 'enclave_migrated']]) {
    await check(`4.1, 61 ${type}: the last event, then Closed ${reason}`, async () => {
      const enclave = await create();
      const { owner } = enclave;
      const socket = await connect();
      const sub = socket.query('s', enclave.id, {}, { as: owner });
      const secrets = socket.query('t', enclave.id, { type: 'Secret' }, { as: owner });
      await sub.stored();
      await secrets.stored();
      const { ct } = await client.info(enclave.id);
      const content = type === 'Migrate'
        ? { new_sequencer: newKey().pub, prev_seq: 0, ct_root: ct.r } : '';
      await enclave.add(owner, type, content);
      assert.equal((await sub.live(1))[0].event.type, type);
      await assertClosed(sub, reason);
      await assertClosed(secrets, reason);
      const later = socket.query('s', enclave.id, {}, { as: owner });
      assert.equal((await later.stored()).length, 2);
      await assertClosed(later, reason);
    });
  }
  await check('server.md SIGTERM: Closed shutdown, then 1001, exit 0', async () => {
    const enclave = await create(wall);
    const socket = await connect();
    const subs = ['a', 'b'].map((name) => socket.query(name, enclave.id, {}));
    for (const sub of subs) await sub.stored();
    const stopped = daemon.stop();
    for (const sub of subs) await assertClosed(sub, 'shutdown');
    assert.equal((await socket.whenClosed()).code, 1001);
    assert.deepEqual(await stopped, { code: 0, signal: null });
  });
});
