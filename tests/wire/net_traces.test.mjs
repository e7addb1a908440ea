#!/usr/bin/env node
// Traces as a collector sees them: W3C Trace Context in and out, OTLP/HTTP in JSON, which requests are sampled, and that a
// collector that is slow, refuses or is not there harms nobody.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { runSuite } from './lib/check.mjs';
import { Collector } from './lib/collector.mjs';
import { Enclave, forum } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { newKey } from './lib/keys.mjs';
import { readMetrics } from './lib/metrics.mjs';
import { Daemon, PROGRAM } from './lib/process.mjs';
import { Receiver } from './lib/receiver.mjs';
import { Socket } from './lib/socket.mjs';
import { sleep, until } from './lib/wait.mjs';

const OPEN = { ENCLAVED_PUSH_ALLOW_HTTP: 'true', ENCLAVED_PUSH_ALLOW_PRIVATE: 'true' };
const COMMIT = ['dispatch', 'prepare', 'queue', 'judge', 'build', 'seal', 'writer', 'write', 'sync', 'publish'];

const idOf = () => randomBytes(16).toString('hex');
const parentOf = (trace, { span = 'b7ad6b7169203331', flags = '01', version = '00', rest = '' } = {}) =>
  ({ traceparent: `${version}-${trace}-${span}-${flags}${rest}` });

/** A daemon that exports to collector, soon. */
const traced = (collector, env = {}) => Daemon.start({ env: { ...OPEN, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_BSP_SCHEDULE_DELAY: '50', ...env } });

const spansOf = async (daemon) => {
  const metrics = await readMetrics(daemon);
  const of = (result) => metrics.get(`enclaved_trace_spans_total{result="${result}"}`);
  return { exported: of('exported'), crowded: of('crowded_out'), refused: of('refused') };
};

const stopped = async (daemon) => assert.deepEqual(await daemon.stop(), { code: 0, signal: null });

/** The one span of a trace that other spans of it hang on. */
const server = (spans) => {
  const roots = spans.filter((span) => span.kind === 2);
  assert.equal(roots.length, 1, JSON.stringify(spans.map(({ name }) => name)));
  return roots[0];
};

function assertNested(root, children) {
  let last = root.begin;
  for (const child of [...children].sort((a, b) => (a.begin < b.begin ? -1 : Number(a.begin > b.begin)))) {
    assert.equal(child.parentSpanId, root.spanId, child.name);
    assert.ok(child.begin >= last && child.end >= child.begin && child.end <= root.end, child.name);
    last = child.end;
  }
}

const tryStart = (env) => spawnSync(PROGRAM, ['--check-config'], { env: { ...process.env, ...env }, encoding: 'utf8' });

await runSuite(async ({ check }) => {
  const collector = await Collector.start();
  const receiver = await Receiver.start();
  const daemon = await traced(collector, { OTEL_SERVICE_NAME: 'node-a', ENCLAVED_LOG_ACCESS_SAMPLE: '1',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=t%C3%A4st, service.name=no,k8s.pod.name=p-0',
    OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20s3cret,x-tenant=7' });
  const enclave = await Enclave.create(daemon.client, forum);
  const ask = (where, headers, method = 'GET', body = undefined) => request(method, daemon.url, where, body, headers);
  const commit = async (headers, content = 'hello') => {
    const made = enclave.make(enclave.owner, 'Post', content);
    return ask('/', headers, 'POST', JSON.stringify(made));
  };

  await check('a commit: the request under its caller, every stage inside of it, in order', async () => {
    const trace = idOf();
    assert.equal((await commit(parentOf(trace))).status, 200);
    const spans = await collector.of(trace, COMMIT.length + 1);
    const root = server(spans);
    const inside = spans.filter((span) => span !== root);
    assert.deepEqual(inside.map(({ name }) => name), COMMIT);
    assert.ok(inside.every(({ kind }) => kind === 1));
    assertNested(root, inside);
    assert.equal(root.parentSpanId, 'b7ad6b7169203331');
    assert.equal(root.flags, 0x301);
    assert.equal(root.name, 'POST /');
    assert.deepEqual(root.attributes, { 'http.request.method': 'POST', 'network.protocol.version': '1.1',
      'url.scheme': 'http', 'http.response.status_code': 200, 'enclaved.service': 'enc-node', 'http.route': '/' });
    assert.equal(root.status, undefined);
    const now = BigInt(Date.now()) * 1_000_000n;
    assert.ok(now - root.begin < 60_000_000_000n && root.end <= now + 1_000_000_000n, 'Unix time');
  });
  await check('the resource and the header fields are those of the environment', async () => {
    const { resource, headers, path } = collector.posts[0];
    assert.equal(path, '/v1/traces');
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers.authorization, 'Bearer s3cret');
    assert.equal(headers['x-tenant'], '7');
    const { 'service.instance.id': instance, 'service.version': version, ...rest } = resource;
    assert.deepEqual(rest, { 'deployment.environment.name': 'täst', 'k8s.pod.name': 'p-0', 'service.name': 'node-a' });
    assert.match(instance, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(version);
    assert.ok(!JSON.stringify(daemon.lines).includes('s3cret'));
  });
  await check('a refusal names its step and code; what no service saw has its request alone', async () => {
    const [refused, unknown, page] = [idOf(), idOf(), idOf()];
    const made = enclave.make(enclave.owner, 'Post', 'x');
    const bad = { ...made, sig: made.sig.replace(/^../, (two) => (two === '00' ? '01' : '00')) };
    const answer = await ask('/', parentOf(refused), 'POST', JSON.stringify(bad));
    const root = server(await collector.of(refused, 3));
    assert.equal(root.attributes['enclaved.step'], answer.json.step);
    assert.equal(root.attributes['enclaved.error.code'], answer.json.code);
    assert.equal(root.attributes['http.response.status_code'], answer.status);
    assert.equal(root.status, undefined, 'a mistake of the client is none of ours');
    await ask('/enclave/zz', parentOf(page));
    await ask('/nowhere', parentOf(unknown), 'BREW');
    const [brew] = await collector.of(unknown, 1);
    assert.equal(brew.attributes['http.request.method'], '_OTHER');
    assert.equal(server(await collector.of(page, 1)).attributes['enclaved.error.code'], 'INVALID_ROUTE');
  });
  await check('5xx is an error of the span', async () => {
    const trace = idOf();
    const answer = await ask('/registry', parentOf(trace), 'POST', JSON.stringify({ type: 'Pull', content: {} }));
    assert.equal(answer.status, 501);
    const root = server(await collector.of(trace, 1));
    assert.deepEqual(root.status, { code: 2 });
    assert.equal(root.attributes['error.type'], answer.json.code);
  });
  await check('reads: the wait for a worker and the read', async () => {
    const trace = idOf();
    assert.equal((await ask(`/enclave/${enclave.id}/sth`, parentOf(trace))).status, 200);
    const spans = await collector.of(trace, 3);
    const root = server(spans);
    const inside = spans.filter((span) => span !== root);
    assert.deepEqual(inside.map(({ name }) => name), ['dispatch', 'read']);
    assertNested(root, inside);
    assert.match(root.name, /^GET .*\/sth$/);
    assert.ok(!JSON.stringify(spans, (_, v) => (typeof v === 'bigint' ? String(v) : v)).includes(enclave.id));
  });
  await check('HTTP/2, and the admin listener is not traced', async () => {
    const [trace, admin] = [idOf(), idOf()];
    const { status } = spawnSync('curl', ['-s', '-o', '/dev/null', '--http2-prior-knowledge', '-H',
      `traceparent: ${parentOf(trace).traceparent}`, `${daemon.url}/info/node`]);
    assert.equal(status, 0);
    await request('GET', daemon.admin, '/metrics', undefined, parentOf(admin));
    assert.equal(server(await collector.of(trace, 1)).attributes['network.protocol.version'], '2');
    assert.equal(collector.spans.filter((span) => span.traceId === admin).length, 0);
  });
  await check('only a well-formed traceparent is followed; of later versions what they share', async () => {
    const good = [{}, { version: '01' }, { version: 'cc', rest: '-what' }, { flags: 'ff' }];
    const bad = [{ version: 'ff' }, { rest: '-x' }, { span: '0'.repeat(16) }, { flags: '1' }, { version: '1' },
      { version: '01', rest: 'x' }, { span: 'B7AD6B7169203331' }, { span: 'b7ad6b716920333g' }, { flags: '01 ' }];
    for (const [list, follows] of [[good, true], [bad, false]]) {
      for (const parts of list) {
        const trace = idOf();
        await ask('/info/node', { ...parentOf(trace, parts), 'x-request-id': trace });
        const line = await until(() => daemon.lines.find((one) => one.request_id === trace), 'the line');
        if (parts.flags === '01 ') continue; /* blanks around a value are no part of it */
        assert.equal(line.trace_id === trace, follows, JSON.stringify(parts));
        assert.match(line.trace_id, /^[0-9a-f]{32}$/);
      }
    }
    const [trace, other] = [idOf(), idOf()];
    await ask('/info/node', { traceparent: [parentOf(trace).traceparent, parentOf(other).traceparent],
      'x-request-id': 'two-parents' });
    const line = await until(() => daemon.lines.find((one) => one.request_id === 'two-parents'), 'the line');
    assert.ok(![trace, other].includes(line.trace_id));
    const zero = '0'.repeat(32);
    await ask('/info/node', { ...parentOf(zero), 'x-request-id': 'zero' });
    assert.notEqual((await until(() => daemon.lines.find((one) => one.request_id === 'zero'), 'it')).trace_id, zero);
  });
  await check('a parent that is not sampled: no span, no id in the line, and the pushes say so', async () => {
    const sink = newKey();
    await enclave.add(enclave.owner, 'Grant_Push', { identity: sink.pub, role: 'Sink', endpoint: receiver.url('/quiet') });
    await receiver.first(1, '/quiet');
    const trace = idOf();
    const had = receiver.on('/quiet').length;
    await commit({ ...parentOf(trace, { flags: '00' }), 'x-request-id': 'unsampled' });
    const push = await until(() => receiver.on('/quiet')[had], 'the push');
    assert.match(push.headers.traceparent, new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`));
    const line = await until(() => daemon.lines.find((one) => one.request_id === 'unsampled'), 'the line');
    assert.equal(line.trace_id, undefined);
    await sleep(200);
    assert.equal(collector.spans.filter((span) => span.traceId === trace).length, 0);
  });
  await check('a push is a client span of the request it follows from, attempt by attempt', async () => {
    const sink = newKey();
    await enclave.add(enclave.owner, 'Grant_Push', { identity: sink.pub, role: 'Sink', endpoint: receiver.url('/loud') });
    await receiver.first(1, '/loud');
    await until(() => receiver.inFlight === 0, 'quiet');
    await sleep(100);
    const trace = idOf();
    const had = receiver.on('/loud').length;
    receiver.statuses.push(500, 500);
    await commit(parentOf(trace));
    await until(() => receiver.on('/loud').length >= had + 2, 'two attempts');
    const spans = await until(() => {
      const found = collector.spans.filter((span) => span.traceId === trace);
      return found.filter(({ kind }) => kind === 3).length >= 4 && found;
    }, 'four client spans');
    const root = server(spans);
    const posts = spans.filter(({ kind }) => kind === 3);
    assert.ok(posts.every((span) => span.parentSpanId === root.spanId && span.name === 'POST'));
    const carried = [...receiver.on('/loud'), ...receiver.on('/quiet')].map(({ headers }) => headers.traceparent);
    posts.forEach(({ spanId }) => assert.ok(carried.includes(`00-${trace}-${spanId}-01`), spanId));
    const failed = posts.filter(({ attributes }) => attributes['http.response.status_code'] === 500);
    assert.equal(failed.length, 2);
    failed.forEach(({ status, attributes }) => assert.deepEqual([status, attributes['error.type']], [{ code: 2 }, '500']));
    assert.ok(!JSON.stringify(posts.map(({ attributes }) => attributes)).includes('loud'));
  });
  await check('messages of a WebSocket are roots', async () => {
    const before = collector.spans.length;
    const socket = await Socket.open(daemon.client);
    const made = enclave.make(enclave.owner, 'Post', 'over a socket');
    socket.send(made);
    socket.send({ type: 'Query', sub_id: 's', enclave: enclave.id, content: { filter: {} } });
    const mine = await until(() => {
      const roots = collector.spans.slice(before).filter(({ attributes: a }) => a?.['enclaved.message']);
      return roots.length >= 2 && roots;
    }, 'two messages');
    const ofKind = (kind) => mine.find(({ attributes }) => attributes['enclaved.message'] === kind);
    for (const [kind, names] of [['commit', COMMIT], ['query', ['dispatch', 'prepare', 'queue']]]) {
      const root = ofKind(kind);
      assert.equal(root.parentSpanId, undefined);
      assert.equal(root.name, `message ${kind}`);
      const inside = (await collector.of(root.traceId, names.length + 1)).filter((span) => span.kind === 1);
      assert.deepEqual(inside.map(({ name }) => name), names);
      assertNested(root, inside);
    }
    await socket.close();
  });
  await check('every id is used once', async () => {
    const ids = collector.spans.map(({ spanId }) => spanId);
    assert.equal(new Set(ids).size, ids.length);
  });
  await check('what ended is exported when the node stops', async () => {
    const late = await traced(collector, { OTEL_BSP_SCHEDULE_DELAY: '600000' });
    const trace = idOf();
    await request('GET', late.url, '/info/node', undefined, parentOf(trace));
    assert.equal(collector.spans.filter((span) => span.traceId === trace).length, 0);
    await stopped(late);
    server(await collector.of(trace, 1));
  });
  await check('a ratio: the end of the id decides, whatever its parent says; roots by the share', async () => {
    const half = await traced(collector, { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' });
    const [low, high] = [`${'a'.repeat(16)}7fffffffffffffff`, `${'a'.repeat(16)}8000000000000000`];
    await request('GET', half.url, '/info/node', undefined, parentOf(low, { flags: '00' }));
    await request('GET', half.url, '/info/node', undefined, parentOf(high));
    server(await collector.of(low, 1));
    const before = collector.spans.length;
    for (let i = 0; i < 200; i++) await request('GET', half.url, '/info/node');
    await stopped(half);
    const seen = collector.spans.slice(before).filter(({ kind }) => kind === 2).length;
    assert.ok(seen > 60 && seen < 140, `${seen} of 200`);
    assert.equal(collector.spans.filter((span) => span.traceId === high).length, 0);
  });
  await check('parent-based: the parent decides, roots follow the ratio', async () => {
    const none = await traced(collector, { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' });
    const trace = `${'b'.repeat(16)}ffffffffffffffff`;
    await request('GET', none.url, '/info/node');
    await request('GET', none.url, '/info/node', undefined, parentOf(trace));
    server(await collector.of(trace, 1));
    assert.deepEqual((await spansOf(none)).exported >= 1, true);
    await stopped(none);
    assert.equal(collector.spans.filter((span) => span.traceId === trace).length > 0, true);
  });
  await check('429 and 503 are tried again, after Retry-After; 400 is not', async () => {
    const picky = await Collector.start();
    picky.answers.push({ status: 503, headers: { 'retry-after': '2' } }, { status: 429 });
    const one = await traced(picky);
    const before = Date.now();
    await request('GET', one.url, '/info/node');
    await until(() => picky.posts.length >= 3, 'the third try', 12_000);
    assert.ok(picky.posts[1].at - before >= 1900, 'it waited');
    assert.deepEqual(picky.posts[0].text, picky.posts[2].text);
    await until(async () => (await spansOf(one)).exported > 0, 'the count');
    assert.equal((await spansOf(one)).refused, 0);
    picky.answers.push({ status: 400 });
    await request('GET', one.url, '/info/node');
    await until(async () => (await spansOf(one)).refused > 0, 'the refusal');
    assert.deepEqual(one.lines.filter(({ event }) => /^collector_/.test(event)).map(({ event }) => event),
      ['collector_fails', 'collector_works', 'collector_fails']);
    await stopped(one);
    await picky.stop();
  }, 30_000);
  await check('a collector that is not there, or never answers: the node serves, drops are counted, the end is in time', async () => {
    const stuck = await Collector.start();
    stuck.isStuck = true;
    for (const url of ['http://127.0.0.1:1', stuck.url]) {
      const alone = await Daemon.start({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '10',
        OTEL_BSP_MAX_QUEUE_SIZE: '64', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '32' } });
      for (let i = 0; i < 300; i++) assert.equal((await request('GET', alone.url, '/info/node')).status, 200);
      assert.ok((await spansOf(alone)).crowded > 0);
      assert.equal((await spansOf(alone)).exported, 0);
      const begun = Date.now();
      await stopped(alone);
      assert.ok(Date.now() - begun < 4000, `${Date.now() - begun} ms`);
    }
    await stuck.stop();
  });
  await check('off: without an endpoint, disabled, exporter none; another protocol is named in the log', async () => {
    const before = collector.posts.length;
    const at = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    for (const env of [{}, { ...at, OTEL_SDK_DISABLED: 'true' }, { ...at, OTEL_TRACES_EXPORTER: 'none' },
      { ...at, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }]) {
      const off = await Daemon.start({ env: { ...env, ENCLAVED_LOG_ACCESS_SAMPLE: '1' } });
      await request('GET', off.url, '/info/node', undefined, { ...parentOf(idOf()), 'x-request-id': 'off' });
      const line = await until(() => off.lines.find((one) => one.request_id === 'off'), 'the line');
      assert.equal(line.trace_id, undefined);
      assert.equal(off.lines.some(({ event }) => event === 'traces_off'), 'OTEL_EXPORTER_OTLP_PROTOCOL' in env);
      await stopped(off);
    }
    assert.ok(collector.posts.slice(before).every(({ spans }) => spans.every(({ traceId }) => traceId)));
  });
  await check('a bad value ends the start with its name; its text is not repeated', async () => {
    const cases = [['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'], ['OTEL_EXPORTER_OTLP_ENDPOINT', 'ftp://x'],
      ['OTEL_TRACES_SAMPLER', 'jaeger_remote'], ['OTEL_TRACES_SAMPLER_ARG', '1.5'], ['OTEL_TRACES_SAMPLER_ARG', 'nan'],
      ['OTEL_EXPORTER_OTLP_HEADERS', 's3cret'], ['OTEL_EXPORTER_OTLP_HEADERS', 'a=s3cret%0d%0ab'],
      ['OTEL_EXPORTER_OTLP_HEADERS', 'a b=c'], ['OTEL_RESOURCE_ATTRIBUTES', 'a=%ff'], ['OTEL_RESOURCE_ATTRIBUTES', 'a=1,a=2'],
      ['OTEL_SDK_DISABLED', 'maybe'], ['OTEL_EXPORTER_OTLP_PROTOCOL', 'smoke'], ['OTEL_BSP_MAX_QUEUE_SIZE', '-1'],
      ['OTEL_BSP_SCHEDULE_DELAY', '1e3'], ['OTEL_EXPORTER_OTLP_TIMEOUT', '0'], ['OTEL_TRACES_EXPORTER', 'zipkin']];
    for (const [name, value] of cases) {
      const { status, stderr } = tryStart({ [name]: value });
      assert.equal(status, 2, `${name}=${value}`);
      assert.match(stderr, new RegExp(`^enclaved: ${name}: [^\n]+\n$`));
      assert.ok(!stderr.includes('s3cret'));
    }
    for (const [name] of cases) assert.equal(tryStart({ [name]: '' }).status, 0, `${name} empty`);
  });
  await stopped(daemon);
  await check('every post had the form of OTLP', async () => {
    assert.deepEqual(collector.faults, []);
    assert.ok(collector.posts.length > 5);
  });
  await Promise.all([collector.stop(), receiver.stop()]);
});
