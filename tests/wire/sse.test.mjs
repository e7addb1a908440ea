#!/usr/bin/env node
// Server-sent events: a subscription over plain HTTP, stored then live, resumed by Last-Event-ID.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { runSuite } from './lib/check.mjs';
import { envelope } from './lib/client.mjs';
import { Enclave, club, refersTo, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon, newFolder } from './lib/process.mjs';
import { Raw } from './lib/raw.mjs';
import { Socket } from './lib/socket.mjs';
import { sleep, until } from './lib/wait.mjs';

const PING_MS = 1000;
const SEND_QUEUE = 524288;
const HTTP = { h1: ['--http1.1'], h2: ['--http2-prior-knowledge'] };
const ROUNDS = 25;
const STREAMS = 200;
const SLOW_SENT = 24 << 20;

/** What an EventSource makes of the bytes: [{ event, id, frame }], and how many comments there were. */
class Feed {
  events = [];
  comments = 0;
  ended = false;
  #rest = '';

  take(text) {
    const parts = (this.#rest + text).split('\n\n');
    this.#rest = parts.pop();
    for (const part of parts) this.#block(part);
  }

  #block(part) {
    if (part.startsWith(':')) {
      this.comments++;
      return;
    }
    const fields = part.split('\n').map((line) => line.match(/^(event|id|data): (.*)$/));
    assert.ok(fields.every(Boolean), `not a stream of events: ${part.slice(0, 200)}`);
    const { event, id, data } = Object.fromEntries(fields.map(([, name, value]) => [name, value]));
    this.events.push({ event, id: id && Number(id), frame: JSON.parse(data) });
  }

  get ids() {
    return this.events.filter(({ event }) => event === 'event').map(({ id }) => id);
  }

  get kinds() {
    return this.events.map(({ event }) => event);
  }

  whenIds(n) {
    return until(() => this.ids.length >= n, `${n} events, got ${this.ids.length}`);
  }

  whenKind(kind, timeout) {
    return until(() => this.kinds.includes(kind), `${kind} after ${this.kinds}`, timeout);
  }
}

const headersOf = (lastId) => ({ accept: 'text/event-stream',
  ...(lastId === undefined ? {} : { 'last-event-id': String(lastId) }) });

/** A stream by curl; stop() ends it. */
function curl(http, url, lastId) {
  const feed = new Feed();
  const headers = Object.entries(headersOf(lastId)).flatMap(([name, value]) =>
    ['-H', `${name}: ${value}`]);
  const child = spawn('curl', ['-sN', '--fail', ...HTTP[http], ...headers, url]);
  child.stdout.setEncoding('utf8').on('data', (text) => feed.take(text));
  feed.exited = new Promise((resolve) => child.on('close', (code) => {
    feed.ended = true;
    resolve(code);
  }));
  feed.stop = () => child.kill('SIGKILL');
  return feed;
}

/** A stream by fetch. */
async function open(url, lastId) {
  const feed = new Feed();
  const abort = new AbortController();
  const response = await fetch(url, { headers: headersOf(lastId), signal: abort.signal });
  assert.equal(response.status, 200);
  const pump = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body) feed.take(decoder.decode(chunk, { stream: true }));
  };
  feed.exited = pump().catch(() => {}).finally(() => (feed.ended = true));
  feed.stop = () => abort.abort();
  feed.response = response;
  return feed;
}

/** What a stream says first, or the error instead of one. */
async function firstOf(url) {
  const response = await fetch(url, { headers: headersOf() });
  if (response.status !== 200) {
    const { request_id: _, ...error } = await response.json();
    return error;
  }
  await response.body.cancel();
  const feed = await open(url);
  await until(() => feed.events.length > 0, 'a frame');
  feed.stop();
  return feed.events[0].frame;
}

const range = (first, count) => Array.from({ length: count }, (_, i) => first + i);

await runSuite(async ({ check }) => {
  const env = {
    ENCLAVED_LIMITS_PING_MS: String(PING_MS),
    ENCLAVED_LIMITS_SEND_QUEUE: String(SEND_QUEUE),
    ENCLAVED_LIMITS_SLOW_GRACE_MS: '2000',
    ENCLAVED_LIMITS_RESPONSE_TIMEOUT_MS: '2500',
    ENCLAVED_LIMITS_SOCKETS_PER_ADDRESS: String(STREAMS + 5),
  };
  const daemon = await Daemon.start({ env, data: newFolder() });
  const { client, url, admin } = daemon;
  const create = (content = wall) => Enclave.create(client, content);
  const grow = async (enclave, n) => {
    for (let i = 0; i < n; i++) await enclave.post(enclave.owner, `${i}`);
  };
  const at = (enclave, query = '') => `${daemon.url}/enclave/${enclave.id}/events${query}`;
  const openNow = async () => {
    const { text } = await request('GET', admin, '/metrics');
    return ['websockets', 'subscriptions'].map((name) =>
      Number(text.match(new RegExp(`^enclaved_${name}_open (\\d+)$`, 'm'))[1]));
  };

  for (const http of Object.keys(HTTP)) {
    await check(`${http}: stored events, EOSE, live ones, as over a WebSocket`, async () => {
      const enclave = await create();
      await grow(enclave, 2);
      const feed = curl(http, at(enclave));
      const socket = await Socket.open(client);
      const twin = socket.query('events', enclave.id, {});
      await twin.stored();
      await feed.whenKind('eose');
      await grow(enclave, 3);
      await feed.whenIds(6);
      await until(() => socket.order.length === 7, 'the twin');
      assert.deepEqual(feed.kinds, [...Array(3).fill('event'), 'eose', ...Array(3).fill('event')]);
      assert.deepEqual(feed.ids, range(0, 6));
      assert.deepEqual(feed.events.map(({ frame }) => frame), socket.order);
      feed.stop();
      await socket.close();
    });
    await check(`${http}: a heartbeat, and nothing else, for longer than the answer's timeout`,
      async () => {
        const enclave = await create();
        const feed = curl(http, at(enclave));
        await until(() => feed.comments >= 4, 'four comments', 9000);
        await grow(enclave, 1);
        await feed.whenIds(2);
        feed.stop();
      });
  }
  await check('the head: no cache, no buffering, no coding', async () => {
    const feed = await open(at(await create()));
    const { headers } = feed.response;
    assert.equal(headers.get('content-type'), 'text/event-stream');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-accel-buffering'), 'no');
    assert.equal(headers.get('content-encoding'), null);
    feed.stop();
  });
  await check('from and type choose', async () => {
    const enclave = await create();
    await grow(enclave, 4);
    const some = await open(at(enclave, '?from=3'));
    const posts = await open(at(enclave, '?type=Post,Nothing'));
    const none = await open(at(enclave, '?type=Nothing'));
    await Promise.all([some, posts, none].map((feed) => feed.whenKind('eose')));
    assert.deepEqual([some.ids, posts.ids, none.ids], [[3, 4], [1, 2, 3, 4], []]);
    [some, posts, none].forEach((feed) => feed.stop());
  });
  await check('more stored events than a query may have', async () => {
    const enclave = await create();
    await grow(enclave, 150);
    const feed = await open(at(enclave));
    await feed.whenKind('eose');
    assert.deepEqual(feed.ids, range(0, 151));
    feed.stop();
  });
  await check('a Delete of what was seen follows a resumption, whatever the types', async () => {
    const enclave = await create();
    const post = await enclave.post(enclave.owner, 'gone');
    await grow(enclave, 1);
    const removal = await enclave.add(enclave.owner, 'Delete', '', refersTo(post.id));
    const feed = await open(at(enclave, '?type=Post'), 2);
    await feed.whenKind('eose');
    assert.deepEqual(feed.ids, [removal.seq]);
    feed.stop();
  });
  await check('Last-Event-ID: no gap and no duplicate under commits, many rounds', async () => {
    const enclave = await create();
    let done = false;
    const writer = (async () => {
      for (let i = 0; !done; i++) await enclave.post(enclave.owner, `${i}`);
    })();
    const seen = [];
    for (let round = 0; round < ROUNDS; round++) {
      const feed = round % 3 === 2 ? curl('h2', at(enclave), seen.at(-1))
        : await open(at(enclave), seen.at(-1));
      await feed.whenIds(1 + (round % 7));
      feed.stop();
      seen.push(...feed.ids);
    }
    done = true;
    await writer;
    assert.ok(seen.length >= ROUNDS);
    assert.deepEqual(seen, range(0, seen.length));
  }, 40_000);
  await check('a session and a seal in a whole Query frame', async () => {
    const enclave = await create(club);
    const member = await enclave.newHolder('Member');
    await enclave.post(member, 'a secret');
    const { body, open: unseal } = envelope(client.seqPub, 'Query', enclave.id, {},
      { as: member });
    const query = encodeURIComponent(JSON.stringify({ ...body, sub_id: 'mine' }));
    const feed = await open(at(enclave, `?query=${query}`));
    await feed.whenKind('eose');
    const post = feed.events.find(({ id }) => id === 2);
    assert.equal(unseal(post.frame.content).event.type, 'Post');
    feed.stop();
  });
  await check('who may read nothing is told the same as over a WebSocket', async () => {
    const enclave = await create(club);
    const key = newKey();
    const { body } = envelope(client.seqPub, 'Query', enclave.id, {}, { as: key });
    const broken = { ...body, content: 'AAAA' };
    for (const [query, frame, type] of [
      ['', { type: 'Query', enclave: enclave.id, content: {} }, 'EOSE'],
      [`?query=${encodeURIComponent(JSON.stringify({ ...broken, sub_id: 'events' }))}`, broken,
        'Error']]) {
      const socket = await Socket.open(client);
      const told = await socket.subscribe('events', frame).next();
      assert.equal(told.type, type);
      assert.deepEqual(await firstOf(at(enclave, query)), told);
      await socket.close();
    }
    for (const query of ['?query=%7B', '?from=x', '?from=1&from=2', '?query=%7B%7D'])
      assert.equal((await firstOf(at(enclave, query))).type, 'Error', query);
  });
  await check('what is no stream', async () => {
    const enclave = await create();
    const paths = [['GET', `/enclave/${'ab'.repeat(32)}/events`, headersOf()],
      ['GET', `/enclave/${enclave.id}/events`, {}], ['GET', '/events', headersOf()],
      ['HEAD', `/enclave/${enclave.id}/events`, headersOf()],
      ['GET', `/enclave/${enclave.id}/eventsx`, headersOf()]];
    for (const [method, path, headers] of paths)
      assert.equal((await request(method, url, path, undefined, headers)).status, 404, path);
    const bad = await request('GET', url, `/enclave/${enclave.id}/events`, undefined,
      headersOf('x'));
    assert.equal(bad.status, 400);
  });
  await check(`${STREAMS} streams, one bound with the sockets, none left behind`, async () => {
    const enclave = await create();
    const feeds = await Promise.all(range(0, STREAMS).map(() => open(at(enclave))));
    await Promise.all(feeds.map((feed) => feed.whenKind('eose')));
    const more = await Promise.all(range(0, 12).map(() =>
      fetch(at(enclave), { headers: headersOf() }).then(({ status, body }) => {
        body.cancel();
        return status;
      })));
    assert.ok(more.includes(429), `${more}`);
    await grow(enclave, 5);
    await Promise.all(feeds.map((feed) => feed.whenIds(6)));
    for (const feed of feeds) assert.deepEqual(feed.ids, range(0, 6));
    feeds.forEach((feed) => feed.stop());
    await until(async () => (await openNow()).every((n) => n === 0), 'all to be gone');
  }, 40_000);
  const openRaw = async (enclave) => {
    const raw = await Raw.open(url);
    raw.write(`GET /${enclave.id}/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`);
    await raw.whenText(/event: eose/);
    return raw;
  };
  const content = 'x'.repeat(60_000);
  await check('who reads nothing is bounded, and cut', async () => {
    const enclave = await create();
    const rss = () => Number(fs.readFileSync(`/proc/${daemon.child.pid}/statm`, 'utf8')
      .split(' ')[1]) * 4096;
    const raw = await openRaw(enclave);
    raw.socket.pause();
    const before = rss();
    for (let sent = 0; sent < SLOW_SENT; sent += content.length)
      await enclave.post(enclave.owner, content);
    assert.ok(rss() - before < SLOW_SENT / 2, `${rss() - before}`);
    await until(async () => (await openNow()).every((n) => n === 0), 'the stream to be cut');
    raw.end();
  }, 40_000);
  await check('who reads too late is told so, behind events without a gap', async () => {
    const enclave = await create();
    const raw = await openRaw(enclave);
    raw.socket.pause();
    const slow = async () => Number((await request('GET', admin, '/metrics')).text
      .match(/reason="slow_websocket"\S* (\d+)/)[1]);
    const before = await slow();
    let posts = 0;
    for (; (await slow()) === before; posts++) await enclave.post(enclave.owner, content);
    raw.socket.resume();
    await raw.whenText(/event: closed\ndata: .*"slow_consumer"\}\n\n\r\n0\r\n\r\n$/);
    const ids = [...raw.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    assert.ok(ids.length > 1 && ids.length < posts);
    assert.deepEqual(ids, range(0, ids.length));
    raw.end();
  }, 40_000);
  await check('a stop says Closed shutdown; another run goes on where it stopped', async () => {
    const enclave = await create();
    await grow(enclave, 2);
    const feeds = [curl('h1', at(enclave)), curl('h2', at(enclave)), await open(at(enclave))];
    await Promise.all(feeds.map((feed) => feed.whenKind('eose')));
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
    for (const feed of feeds) {
      await feed.exited;
      assert.deepEqual(feed.events.at(-1).frame,
        { type: 'Closed', sub_id: 'events', reason: 'shutdown' });
    }
    assert.deepEqual([await feeds[0].exited, await feeds[1].exited], [0, 0]);
    await daemon.start();
    enclave.client = daemon.client;
    await grow(enclave, 3);
    const feed = await open(at(enclave), feeds[0].ids.at(-1));
    await feed.whenKind('eose');
    assert.deepEqual(feed.ids, [3, 4, 5]);
    feed.stop();
  });
});
