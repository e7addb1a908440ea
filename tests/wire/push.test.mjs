#!/usr/bin/env node
// Push and notify to endpoints, their queues and Pull (protocol.md 10, 8.5).

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { eventFault } from './lib/event.mjs';
import { Enclave, refersTo } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { openPush, Receiver } from './lib/receiver.mjs';
import { sleep, until } from './lib/wait.mjs';

const ALLOWED = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true' };
const QUIET_MS = 400;
const TIMER_SLACK_MS = 700;

await runSuite(async ({ check }) => {
  const receiver = await Receiver.start();
  const daemon = await Daemon.start({ env: ALLOWED });
  let { client } = daemon;
  let paths = 0;

  /** An enclave with one endpoint of a fresh key that holds role. */
  async function withEndpoint(role, type = 'Grant_Push') {
    const enclave = await Enclave.create(client);
    const key = newKey();
    const path = `/hook/${paths++}`;
    const url = receiver.url(path);
    await enclave.add(enclave.owner, type, { identity: key.pub, role, endpoint: url });
    return { enclave, key, path, url };
  }

  const grow = async (enclave, n) => {
    const posts = [];
    for (let i = 0; i < n; i++) posts.push(await enclave.post(enclave.owner, `${i}`));
    return posts;
  };

  const bodies = (requests, key) =>
    requests.map(({ payload }) => openPush(payload, key, client.seqPub));

  /** The seqs pushed on a path once the last one has come. */
  async function pushedUntil(hook, last, member = 'push', timeout = 10_000) {
    const seqs = () => bodies(answered(hook.path), hook.key).flatMap((body) =>
      body[member].map((event) => event.seq));
    await until(() => seqs().includes(last), `seq ${last} on ${hook.path}`, timeout);
    return seqs();
  }

  const answered = (path) => receiver.on(path).filter((entry) => entry.status === 200);

  const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

  await check('10.1 P: full events, each signed, sealed to the identity', async () => {
    const hook = await withEndpoint('Sink');
    const posts = await grow(hook.enclave, 5);
    await pushedUntil(hook, 6);
    const requests = receiver.on(hook.path);
    for (const { method, headers, payload } of requests) {
      assert.equal(method, 'POST');
      assert.match(headers['content-type'], /^application\/json/);
      assert.deepEqual([payload.url, payload.enclave], [hook.url, hook.enclave.id]);
    }
    const events = bodies(requests, hook.key).flatMap((body) => body.push);
    for (const event of events) assert.equal(eventFault(event, client.seqPub), null);
    assert.deepEqual(events.slice(-5).map((event) => event.id), posts.map((post) => post.id));
    assert.ok(bodies(requests, hook.key).every((body) => body.notify.length === 0));
  });
  await check('67 the event that registers the endpoint is itself pushed to it', async () => {
    for (const type of ['Grant', 'Grant_Push']) {
      const hook = await withEndpoint('Sink', type);
      await grow(hook.enclave, 1);
      assert.deepEqual(await pushedUntil(hook, 2), [1, 2], type);
    }
  });
  await check('10.1 N: notifications without content; other types nothing', async () => {
    const hook = await withEndpoint('Bell');
    await hook.enclave.add(hook.enclave.owner, 'Note', 'no row gives N on it');
    const [post] = await grow(hook.enclave, 1);
    await pushedUntil(hook, post.seq, 'notify');
    const all = bodies(receiver.on(hook.path), hook.key);
    assert.deepEqual(all.flatMap((body) => body.push), []);
    const { id, seq, type_seq: typeSeq, timestamp } = post;
    assert.deepEqual(all.flatMap((body) => body.notify),
      [{ id, seq, type: 'Post', type_seq: typeSeq, timestamp }]);
  });
  await check('10.1 P goes before N for an identity with both', async () => {
    const hook = await withEndpoint('Bell');
    await hook.enclave.grant(hook.key, 'Sink');
    const [post] = await grow(hook.enclave, 1);
    await pushedUntil(hook, post.seq);
    assert.ok(bodies(receiver.on(hook.path), hook.key).every((body) => body.notify.length === 0));
  });
  await check('10.2 push_seq counts 1, 2, 3 per endpoint, no event lost or repeated', async () => {
    const enclave = await Enclave.create(client);
    const hooks = range(0, 2).map(() => ({ key: newKey(), path: `/hook/${paths++}` }));
    for (const { key, path } of hooks) {
      await enclave.add(enclave.owner, 'Grant_Push',
        { identity: key.pub, role: 'Sink', endpoint: receiver.url(path) });
    }
    const posts = await grow(enclave, 40);
    for (const [i, hook] of hooks.entries()) {
      assert.deepEqual(await pushedUntil(hook, posts.at(-1).seq), range(i + 1, 43));
      const numbers = receiver.on(hook.path).map((entry) => entry.payload.push_seq);
      assert.deepEqual(numbers, range(1, numbers.length));
    }
  });
  await check('10.1 two endpoints of one identity are two queues', async () => {
    const hook = await withEndpoint('Sink');
    const second = { ...hook, path: `${hook.path}/second` };
    await hook.enclave.add(hook.enclave.owner, 'Grant_Push', { identity: hook.key.pub,
      role: 'Sink', endpoint: receiver.url(second.path) });
    await grow(hook.enclave, 2);
    assert.deepEqual(await pushedUntil(hook, 4), [1, 2, 3, 4]);
    assert.deepEqual(await pushedUntil(second, 4), [2, 3, 4]);
    assert.equal(receiver.on(second.path)[0].payload.push_seq, 1);
  });
  await check('10.2 one payload in flight; the next one takes what has gathered, at most 100',
    async () => {
      const release = receiver.hold();
      const hook = await withEndpoint('Sink');
      await receiver.first(1, hook.path);
      await grow(hook.enclave, 130);
      await sleep(QUIET_MS);
      assert.equal(receiver.on(hook.path).length, 1);
      release();
      assert.deepEqual(await pushedUntil(hook, 131), range(1, 131));
      const sizes = bodies(receiver.on(hook.path), hook.key).map((body) => body.push.length);
      assert.ok(Math.max(...sizes) <= 100, `${sizes}`);
      assert.deepEqual(sizes.slice(0, 2), [1, 100]);
    });
  await check('10.3 a failure is tried again after 1 s and 2 s, same payload, order kept',
    async () => {
      const hook = await withEndpoint('Sink');
      await pushedUntil(hook, 1);
      receiver.statuses = [500, 503];
      const [post] = await grow(hook.enclave, 1);
      await receiver.first(2, hook.path);
      await grow(hook.enclave, 3);
      assert.deepEqual(await pushedUntil(hook, post.seq + 3), range(1, post.seq + 3));
      const [, ...tries] = receiver.on(hook.path);
      assert.deepEqual(tries.map((entry) => entry.payload.push_seq).slice(0, 4), [2, 2, 2, 3]);
      assert.equal(tries[0].text, tries[1].text);
      assert.equal(tries[0].text, tries[2].text);
      for (const [i, wait] of [1000, 2000].entries()) {
        const took = tries[i + 1].at - tries[i].at;
        assert.ok(took >= wait - 50 && took < wait + TIMER_SLACK_MS, `${took} ms for ${wait}`);
      }
    });
  await check('10.3 any 2xx is success, 3xx and 4xx are not and nothing is followed', async () => {
    const hook = await withEndpoint('Sink');
    await pushedUntil(hook, 1);
    receiver.statuses = [204];
    await grow(hook.enclave, 1);
    await receiver.first(2, hook.path);
    receiver.statuses = [302];
    await grow(hook.enclave, 1);
    const tries = (await receiver.first(4, hook.path)).slice(1);
    assert.deepEqual(tries.map((entry) => entry.payload.push_seq), [2, 3, 3]);
  });
  await check('10 a failing endpoint does not hold up another', async () => {
    const enclave = await Enclave.create(client);
    const [dead, good] = [newKey(), { key: newKey(), path: `/hook/${paths++}` }];
    await enclave.add(enclave.owner, 'Grant_Push',
      { identity: dead.pub, role: 'Sink', endpoint: 'http://127.0.0.1:9/' });
    await enclave.add(enclave.owner, 'Grant_Push',
      { identity: good.key.pub, role: 'Sink', endpoint: receiver.url(good.path) });
    await grow(enclave, 3);
    assert.deepEqual(await pushedUntil(good, 5, 'push', 2000), range(2, 5));
  });

  await check('8.5, 56 Pull returns the payloads unchanged, in pages', async () => {
    const hook = await withEndpoint('Sink');
    for (let i = 2; i <= 6; i++) {
      await grow(hook.enclave, 1);
      await pushedUntil(hook, i);
    }
    const sent = answered(hook.path).map((entry) => entry.payload);
    const pull = async (members) => assertOk(await client.pull(hook.enclave.id,
      { url: hook.url, ...members }, { as: hook.key })).content;
    const all = await pull({ push_seq: { start_after: 0 } });
    assert.equal(all.last_push_seq, sent.length);
    assert.deepEqual(all.deliveries.map((one) => one.push_seq), range(1, sent.length));
    assert.deepEqual(all.deliveries.map((one) => one.payload), sent);
    const page = await pull({ push_seq: { start_after: 2 }, limit: 2 });
    assert.deepEqual(page.deliveries.map((one) => one.push_seq), [3, 4]);
    assert.equal(page.last_push_seq, sent.length);
    const past = await pull({ push_seq: { start_after: sent.length } });
    assert.deepEqual(past, { deliveries: [], last_push_seq: sent.length });
  });
  await check('8.5 Pull serves what could not be delivered', async () => {
    const hook = await withEndpoint('Sink');
    await pushedUntil(hook, 1);
    receiver.statuses = [500];
    const [post] = await grow(hook.enclave, 1);
    await receiver.first(2, hook.path);
    const { content } = assertOk(await client.pull(hook.enclave.id,
      { url: hook.url, push_seq: { start_after: 1 } }, { as: hook.key }));
    const [{ payload }] = content.deliveries;
    assert.equal(openPush(payload, hook.key, client.seqPub).push[0].id, post.id);
    await pushedUntil(hook, post.seq);
  });
  await check('8.5 Pull of what is not the reader\'s is ENDPOINT_NOT_FOUND', async () => {
    const hook = await withEndpoint('Sink');
    const pull = (as, url) => client.pull(hook.enclave.id, { url, push_seq: { start_after: 0 } },
      { as });
    assertError(await pull(newKey(), hook.url), 'ENDPOINT_NOT_FOUND');
    assertError(await pull(hook.enclave.owner, hook.url), 'ENDPOINT_NOT_FOUND');
    assertError(await pull(hook.key, `${hook.url}x`), 'ENDPOINT_NOT_FOUND');
    assertOk(await pull(hook.key, hook.url));
  });
  await check('10.1 the endpoint goes with the last role that has P or N', async () => {
    const hook = await withEndpoint('Sink');
    const { enclave, key } = hook;
    await enclave.grant(key, 'Bell');
    await enclave.add(enclave.owner, 'Revoke', { identity: key.pub, role: 'Sink' });
    const [post] = await grow(enclave, 1);
    await pushedUntil(hook, post.seq, 'notify');
    await enclave.add(enclave.owner, 'Revoke', { identity: key.pub, role: 'Bell' });
    await sleep(QUIET_MS);
    const before = receiver.on(hook.path).length;
    await grow(enclave, 2);
    await sleep(QUIET_MS);
    assert.equal(receiver.on(hook.path).length, before);
    assertError(await client.pull(enclave.id, { url: hook.url, push_seq: { start_after: 0 } },
      { as: key }), 'ENDPOINT_NOT_FOUND');
    await enclave.grant(key, 'Sink');
    await grow(enclave, 1);
    await sleep(QUIET_MS);
    assert.equal(receiver.on(hook.path).length, before, 'a role alone brings no endpoint back');
  });
  await check('67 the Revoke that ends an endpoint is not pushed to it', async () => {
    const revoke = (pub) => ({ identity: pub, role: 'Sink' });
    for (const bundled of [false, true]) {
      const hook = await withEndpoint('Sink');
      const { enclave, key } = hook;
      await pushedUntil(hook, 1);
      if (!bundled) await enclave.add(enclave.owner, 'Revoke', revoke(key.pub));
      else await enclave.add(enclave.owner, 'AC_Bundle',
        { operations: [{ type: 'Revoke', ...revoke(key.pub) }] });
      await grow(enclave, 1);
      await sleep(QUIET_MS);
      assert.deepEqual(await pushedUntil(hook, 1), [1]);
    }
  });
  await check('4.1, 10 Update, Delete and Terminate are pushed too', async () => {
    const hook = await withEndpoint('Sink');
    const { enclave } = hook;
    const [post] = await grow(enclave, 1);
    await enclave.add(enclave.owner, 'Update', 'x', refersTo(post.id));
    await enclave.add(enclave.owner, 'Delete', '', refersTo(post.id));
    await enclave.add(enclave.owner, 'Terminate');
    assert.deepEqual(await pushedUntil(hook, 5), range(1, 5));
  });
  await check('5.5 Grant_Push needs its endpoint, and one that is a URL', async () => {
    const enclave = await Enclave.create(client);
    const identity = newKey().pub;
    for (const endpoint of [undefined, null, 1, '', 'x', '/hook', 'ftp://127.0.0.1/',
      'file:///etc/passwd', 'http://', 'http:///x', '//127.0.0.1/', 'javascript:x']) {
      const content = { identity, role: 'Sink', endpoint };
      assertError(await enclave.tryAdd(enclave.owner, 'Grant_Push', content), 'INVALID_CONTENT');
      if (endpoint === undefined) continue;
      assertError(await enclave.tryAdd(enclave.owner, 'Grant', content), 'INVALID_CONTENT');
    }
    assert.equal((await client.info(enclave.id)).seq, 0);
  });

  for (const signal of ['SIGTERM', 'SIGKILL']) {
    await check(`10.2 after ${signal} the queue goes on where it was`, async () => {
      const hook = await withEndpoint('Sink');
      await grow(hook.enclave, 2);
      await pushedUntil(hook, 3);
      receiver.statuses = Array(50).fill(500);
      await grow(hook.enclave, 3);
      const before = receiver.on(hook.path).length;
      await until(() => receiver.on(hook.path).length > before - 1 &&
        receiver.on(hook.path).some((entry) => entry.status === 500), 'a failed attempt');
      await daemon.signal(signal);
      receiver.statuses = [];
      client = await daemon.start();
      assert.deepEqual(await pushedUntil(hook, 6), range(1, 6));
      const numbers = answered(hook.path).map((entry) => entry.payload.push_seq);
      assert.deepEqual(numbers, range(1, numbers.length));
      const failed = receiver.on(hook.path).find((entry) => entry.status === 500);
      const retried = answered(hook.path).find(
        (entry) => entry.payload.push_seq === failed.payload.push_seq);
      assert.equal(retried.text, failed.text, 'the same payload again');
      hook.enclave.client = client;
      await grow(hook.enclave, 1);
      await pushedUntil(hook, 7);
    });
  }
  assert.equal((await daemon.stop()).code, 0);

  const guarded = await Daemon.start();
  const strict = await Enclave.create(guarded.client);
  const refused = (endpoint) => strict.tryAdd(strict.owner, 'Grant_Push',
    { identity: newKey().pub, role: 'Sink', endpoint });
  await check('10.1 http is refused by default', async () => {
    assertError(await refused('http://example.org/hook'), 'INVALID_CONTENT');
    assertOk(await refused('https://example.org/hook'));
  });
  await check('33 private, loopback and link-local literals are refused by default', async () => {
    const hosts = ['127.0.0.1', '127.1.2.3', '10.0.0.1', '172.16.0.1', '172.31.255.255',
      '192.168.1.1', '169.254.169.254', '0.0.0.0', '100.64.0.1', '[::1]', '[::]', '[fe80::1]',
      '[fd00::1]', '[::ffff:127.0.0.1]', '[::ffff:10.0.0.1]', '127.0.0.1:8080'];
    for (const host of hosts) {
      assertError(await refused(`https://${host}/hook`), 'INVALID_CONTENT');
    }
    for (const host of ['1.1.1.1', '172.32.0.1', '[2606:4700::1111]']) {
      assertOk(await refused(`https://${host}/hook`));
    }
  });
  assert.deepEqual(await guarded.stop(), { code: 0, signal: null });

  await check('33 a name that resolves to a private address is not called', async () => {
    const half = await Daemon.start({ env: { ENCLAVED_PUSH_ALLOW_HTTP: 'true' } });
    const enclave = await Enclave.create(half.client);
    for (const host of ['localhost', '2130706433', '0x7f.1', '127.1', 'localhost.']) {
      const endpoint = receiver.url(`/guarded/${host}`, host);
      await enclave.tryAdd(enclave.owner, 'Grant_Push',
        { identity: newKey().pub, role: 'Sink', endpoint });
    }
    await grow(enclave, 2);
    await sleep(1800);
    assert.deepEqual(receiver.requests.filter((entry) => entry.path.startsWith('/guarded')), []);
    assert.equal((await half.stop()).code, 0);
  });
  await receiver.stop();
});
