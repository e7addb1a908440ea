#!/usr/bin/env node
// Filters, paging and what a reader sees on enc-node (protocol.md 8.4, 5.6).

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { eventFault } from './lib/event.mjs';
import { select } from './lib/filter.mjs';
import { forum, refersTo } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { seededRandom } from './lib/random.mjs';
import { Mirror } from '../replay/mirror.mjs';

const EVENTS = 120;
const FILTERS = 150;
const UNKNOWN = 'ab'.repeat(32);
const STATUSES = ['active', 'updated', 'deleted'];
const LANGS = ['en', 'de', 'fr'];

const BAD_FILTERS = {
  '92 no object': [null, 1, 'x', [], true],
  'unknown members': [{ ids: [] }, { Limit: 1 }, { '': 1 }],
  '51 limit out of 1-1000': [0, -1, 1001, 1.5, '5', null].map((limit) => ({ limit })),
  'reverse that is no bool': ['true', 1, null].map((reverse) => ({ reverse })),
  'an id that is no hex64': ['x', UNKNOWN.slice(1), 1, null, [1], ['x'], {}].map((id) => ({ id })),
  'an author that is no hex64': ['x', 1, null, ['x']].map((from) => ({ from })),
  'a type that is no string': [1, null, [1], {}].map((type) => ({ type })),
  'an unknown status': ['x', 'Active', 1, null, ['active', 'x']].map((status) => ({ status })),
  'a seq that is no number or range': ['1', -1, 1.5, null, [1], { from: 1 }, { start_at: '1' },
    { start_at: -1 }, { end_at: 1.5 }, { end_before: null }].map((seq) => ({ seq })),
  'an inverted range': [{ seq: { start_at: 5, end_at: 4 } },
    { timestamp: { start_after: 5, end_before: 4 } }],
  'a timestamp that is no range': ['1', null, [1], { at: 1 }, { start_at: '1' }].map(
    (timestamp) => ({ timestamp })),
  'tags of another shape': [1, 'x', null, [], { k: 1 }, { k: null }, { k: false }, { k: [1] },
    { k: {} }].map((tags) => ({ tags })),
  'arrays above 100': [{ id: Array(101).fill(UNKNOWN) }, { from: Array(101).fill(UNKNOWN) },
    { type: Array(101).fill('Post') }, { tags: { k: Array(101).fill('v') } }],
};

/** A forum with people, posts, edits and tags; the model knows it all. */
async function populate(client, random) {
  const [member, admin, guest] = [newKey(), newKey(), newKey()];
  const initial = { Member: [member.pub], Admin: [admin.pub] };
  const mirror = await Mirror.create(client, forum, { initial });
  const authors = [mirror.owner, member, admin, guest];
  while (mirror.model.seq < EVENTS) await mirror.submit(anyCommit(mirror, authors, random));
  return { mirror, authors };
}

function anyCommit(mirror, authors, random) {
  const entries = [...mirror.model.entries.values()];
  const { event } = random.pick(entries);
  const type = random.weighted({ Post: 40, Note: 30, Secret: 5, Update: 18, Delete: 7 });
  if (type === 'Update' || type === 'Delete') {
    const author = authors.find((key) => key.pub === event.from);
    return mirror.make(author, type, type === 'Update' ? 'edited' : '', refersTo(event.id));
  }
  const tags = [['lang', random.pick(LANGS)], ['n', `${random.below(4)}`, 'x']];
  return mirror.make(random.pick(authors), type, `${mirror.model.seq}`,
    { tags: random.chance(70) ? tags : [['mark']] });
}

const DRAWS = {
  id: (random, { ids }) => oneOrMore(random, () => random.pick(ids)),
  seq: (random) => (random.chance(20) ? random.below(EVENTS) : range(random, EVENTS)),
  type: (random) => oneOrMore(random, () => random.pick(['Post', 'Note', 'Update', 'Delete'])),
  from: (random, { pubs }) => oneOrMore(random, () => random.pick(pubs)),
  tags: (random) => random.pick([{ lang: oneOrMore(random, () => random.pick(LANGS)) },
    { mark: true }, { n: '2' }, { lang: true, n: ['0', '1'] }, { x: true }]),
  timestamp: (random, { start, end }) => shifted(range(random, end - start), start),
  status: (random) => oneOrMore(random, () => random.pick(STATUSES)),
  limit: (random) => 1 + random.below(60),
  reverse: (random) => random.chance(50),
};

function oneOrMore(random, draw) {
  return random.chance(50) ? draw() : Array.from({ length: 1 + random.below(5) }, draw);
}

function range(random, n) {
  const [low, high] = [random.below(n), random.below(n)].sort((one, two) => one - two);
  const starts = [{ start_at: low }, { start_after: low }, {}];
  const ends = [{ end_at: high }, { end_before: high }];
  return { ...random.pick(starts), ...random.pick(ends) };
}

const shifted = (bounds, by) =>
  Object.fromEntries(Object.entries(bounds).map(([name, n]) => [name, n + by]));

function randomFilter(random, world) {
  const names = Object.keys(DRAWS).filter(() => random.chance(30));
  return Object.fromEntries(names.map((name) => [name, DRAWS[name](random, world)]));
}

const BY = { updated: 'updated_by', deleted: 'deleted_by' };

const shape = (entry) => [entry.event.seq, entry.status, entry[BY[entry.status]] ?? null];

await runSuite(async ({ check }) => {
  const random = seededRandom();
  const daemon = await Daemon.start();
  const { client } = daemon;
  const { mirror, authors } = await populate(client, random);
  const { id, model, owner } = mirror;
  const readers = [null, ...authors, newKey()];
  const entries = [...model.entries.values()];
  const world = { ids: entries.map(({ event }) => event.id), pubs: authors.map((key) => key.pub),
    start: entries[0].event.timestamp, end: model.timestamp + 1 };
  const query = (filter, as = owner) => client.query(id, filter, { as });
  const content = async (filter, as) => assertOk(await query(filter, as)).content;
  const seqs = async (filter, as) => (await content(filter, as)).events.map((e) => e.event.seq);

  await check(`8.4 ${FILTERS} random filters by ${readers.length} readers`, async () => {
    for (let i = 0; i < FILTERS; i++) {
      const [filter, as] = [randomFilter(random, world), random.pick(readers)];
      const want = select(model, as?.pub ?? null, filter);
      const got = await content(filter, as);
      const what = JSON.stringify(filter);
      assert.deepEqual(got.events.map(shape), want.events.map(shape), what);
      assert.equal(got.next, want.next, `52 next of ${what}`);
    }
  }, 40_000);
  await check('3 events come whole and verify; deleted ones without content', async () => {
    const { events } = await content({ status: STATUSES, limit: 1000 });
    assert.equal(events.length, model.seq + 1);
    events.forEach(({ event, status }) => {
      assert.equal(eventFault(event, client.seqPub), null);
      const known = model.entries.get(event.id).event;
      const { type: _, ...rest } = { ...known, content: event.content };
      assert.deepEqual(event, { type: known.type, ...rest });
      if (status === 'deleted') assert.equal(event.content, null);
      else if (event.type !== 'Update') assert.equal(event.content, known.content);
    });
  });
  await check('40 Updates of a deleted target: content null, status active', async () => {
    const post = await mirror.post(owner);
    const update = await mirror.add(owner, 'Update', 'soon gone', refersTo(post.id));
    const deleted = await mirror.add(owner, 'Delete', '', refersTo(post.id));
    const { events } = await content({ id: [post.id, update.id, deleted.id], status: STATUSES });
    assert.deepEqual(events.map((e) => [e.event.content, e.status]),
      [[null, 'deleted'], [null, 'active'], ['', 'active']]);
  });
  await check('8.4 defaults: no filter, {} and content without filter', async () => {
    const want = select(model, owner.pub, {}).events.length;
    assert.equal((await content({})).events.length, want);
    assert.equal((await content(undefined)).events.length, want);
  });
  await check('52 pages follow each other without gap or repeat, both ways', async () => {
    for (const limit of [1, 7, 30, 1000]) {
      for (const reverse of [false, true]) {
        const filter = { status: STATUSES, limit, reverse, seq: { end_at: 60 } };
        const pages = await client.queryAll(id, filter, { as: owner });
        const want = select(model, owner.pub, { ...filter, limit: 1000 }).events;
        assert.deepEqual(pages.map((e) => e.event.seq), want.map((e) => e.event.seq));
      }
    }
  });
  await check('52 next is null when the last match fills the page', async () => {
    const { events, next } = await content({ seq: { end_at: 9 }, limit: 10, status: STATUSES });
    assert.deepEqual([events.length, next], [10, null]);
    const short = await content({ seq: { end_at: 9 }, limit: 9, status: STATUSES });
    assert.deepEqual([short.events.length, short.next], [9, 8]);
  });
  await check('52 matches that the reader may not see do not make a next', async () => {
    const secret = await mirror.add(owner, 'Secret', 'last');
    const note = await mirror.add(owner, 'Note', 'seen');
    await mirror.add(owner, 'Secret', 'very last');
    const range = { seq: { start_at: secret.seq }, limit: 1 };
    const { events, next } = await content(range, null);
    assert.deepEqual([events.map((e) => e.event.seq), next], [[note.seq], null]);
  });
  await check('53 a tag is compared by its second member, true asks for the key', async () => {
    const note = await mirror.add(owner, 'Note', 'tags', { tags: [['k', 'a', 'b'], ['k', 'c']] });
    const at = { seq: note.seq };
    const found = async (tags) => (await seqs({ ...at, tags })).length === 1;
    const hits = [{ k: 'a' }, { k: 'c' }, { k: ['x', 'c'] }, { k: true }];
    const misses = [{ k: 'b' }, { k: 'A' }, { j: true }, { k: 'a', j: true }, { K: true }];
    for (const tags of hits) assert.ok(await found(tags), JSON.stringify(tags));
    for (const tags of misses) assert.ok(!await found(tags), JSON.stringify(tags));
  });
  await check('8.4 hex in filters in either case', async () => {
    const { event } = entries[3];
    const upper = { id: event.id.toUpperCase(), from: event.from.toUpperCase() };
    assert.deepEqual(await seqs({ ...upper, status: STATUSES }), [3]);
  });
  await check('8.4 bounds: 100 array entries, limit 1000', async () => {
    const { events } = await content({ id: Array(100).fill(world.ids[0]), limit: 1000 });
    assert.equal(events.length, 1);
  });
  for (const [name, filters] of Object.entries(BAD_FILTERS)) {
    await check(`54 INVALID_FILTER: ${name}`, async () => {
      for (const filter of filters) {
        assertError(await query(filter), 'INVALID_FILTER');
        assertError(await query(filter, null), 'INVALID_FILTER');
      }
    });
  }

  await check('31, 84 R on the type of the target shows its Updates and Deletes', async () => {
    const guest = authors[3];
    const note = await mirror.add(guest, 'Note', 'public');
    const update = await mirror.add(guest, 'Update', 'public too', refersTo(note.id));
    assert.deepEqual(await seqs({ id: [note.id, update.id] }, null), [note.seq, update.seq]);
    const post = await mirror.post(authors[1]);
    const edit = await mirror.add(authors[1], 'Update', 'not public', refersTo(post.id));
    assert.deepEqual(await seqs({ id: [post.id, edit.id] }, null), []);
  });
  await check('31, 84 Self on the target: the author of the target sees its moderation',
    async () => {
      const [, member, admin] = authors;
      const post = await mirror.post(member);
      const removed = await mirror.add(admin, 'Delete', { reason: 'moderator' }, refersTo(post.id));
      await mirror.add(owner, 'Revoke', { identity: member.pub, role: 'Member' });
      assert.deepEqual(await seqs({ id: removed.id }, member), [removed.seq]);
      assert.deepEqual(await seqs({ id: removed.id }, newKey()), []);
    });
  await check('5.6 a reader without any R gets an empty list', async () => {
    const closed = (key) => ({ ...forum(key), RBAC: { roles: [], schema: [
      { event: 'Post', role: 'Owner', ops: ['C', 'R'] }], initial_state: { Owner: [key.pub] } } });
    const enclave = await Mirror.create(client, closed, {});
    await enclave.post(enclave.owner);
    for (const as of [null, newKey()]) {
      const answer = assertOk(await client.query(enclave.id, {}, { as }));
      assert.deepEqual(answer.content, { events: [], next: null });
    }
  });
  await check('read your writes: a receipt is followed by its event, always', async () => {
    for (let i = 0; i < 30; i++) {
      const receipt = await mirror.add(owner, 'Note', `fresh ${i}`);
      assert.deepEqual(await seqs({ seq: { start_at: receipt.seq } }), [receipt.seq]);
    }
  });
  assert.equal((await daemon.stop()).code, 0);
});
