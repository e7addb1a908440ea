#!/usr/bin/env node
// /metrics: both formats hold before programs that share no code with us, and every counter equals
// a workload that is known exactly.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { newCertificate } from './lib/certificate.mjs';
import { runSuite } from './lib/check.mjs';
import { sealedCommit } from './lib/client.mjs';
import { makeManifest, signCommit } from './lib/commit.mjs';
import { Enclave, refersTo, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { newKey } from './lib/keys.mjs';
import { OPEN_METRICS, changed, parsePage, readMetrics, scrape } from './lib/metrics.mjs';
import { Daemon, newFolder } from './lib/process.mjs';
import { Receiver } from './lib/receiver.mjs';
import { Socket } from './lib/socket.mjs';
import { until } from './lib/wait.mjs';

const UNKNOWN = 'ab'.repeat(32);
const certificate = newCertificate();
const TLS = ['tls.listen: 127.0.0.1:0', `tls.certificate: ${certificate.certificate}`,
  `tls.key: ${certificate.key}`, 'push.allow_http: true', 'push.allow_private: true',
  'limits.idle_ms: 600000', 'limits.live_enclaves: 200000'];

/** Runs with the page on its input; its output is empty when it likes the page. */
function judge(program, args, input) {
  return execFileSync(program, args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}

/* An independent parser of OpenMetrics: prints the families it found. */
const PARSER = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
print(json.dumps([[f.name, f.type, f.unit, len(f.samples)] for f in parse(sys.stdin.read())]))
`;

/* promtool reads the text format only: OpenMetrics with the names and kinds that has. */
const asPlain = (text) => {
  const counters = new Set([...text.matchAll(/^# TYPE (\S+) counter$/gm)].map(([, name]) => name));
  return text.replace(/^# (UNIT .*|EOF)\n/gm, '')
    .replace(/^# (HELP|TYPE) (\S+)/gm, (whole, what, name) =>
      `# ${what} ${name}${counters.has(name) ? '_total' : name.endsWith('_build') ? '_info' : ''}`)
    .replace(/^(# TYPE \S+) info$/gm, '$1 gauge');
};

const commitsOf = (service, result, step) =>
  `enclaved_commits_total{service="${service}",result="${result}",step="${step}"}`;

const requestOf = (route, method, protocol, answer, service = 'enc-node') =>
  `enclaved_requests_total{service="${service}",route="${route}",method="${method}",` +
  `protocol="${protocol}",class="${answer}"}`;

function add(counts, series, more = 1) {
  counts[series] = (counts[series] ?? 0) + more;
}

await runSuite(async ({ check }) => {
  const file = path.join(newFolder(), 'enclaved.yaml');
  fs.writeFileSync(file, `${TLS.join('\n')}\n`);
  const daemon = await Daemon.start({ args: ['--config', file] });
  const { client, url } = daemon;
  const tlsPort = Number(daemon.lines.find((line) => line.listener === 'tls').address.split(':')[1]);
  const carrier = newKey();
  const enclave = await Enclave.create(client);
  const { owner } = enclave;
  const member = await enclave.newHolder('Member');
  const [post, gone] = [await enclave.post(member), await enclave.post(member)];
  await enclave.add(member, 'Delete', '', refersTo(gone.id));
  const done = enclave.make(member, 'Post', 'once');
  await client.accept(done);
  await enclave.add(owner, 'Gate', { event: 'Note', open: false });
  const ended = await Enclave.create(client, wall);
  await ended.add(ended.owner, 'Terminate', '');

  const at = (ms) => ({ exp: Date.now() + ms });
  const grant = (role) => ({ identity: member.pub, role });
  /* step, code, commit */
  const REFUSALS = [
    [1, 'INVALID_COMMIT', () => ({ ...enclave.make(member, 'Post', 'x'), sig: 'ab' })],
    [1, 'INVALID_COMMIT', () => enclave.make(member, 'Shared', 'x')],
    [1, 'UNSUPPORTED_ALG', () => ({ ...enclave.make(member, 'Post', 'x'), alg: 'ecdsa' })],
    [1, 'TOO_LARGE', () => enclave.make(member, 'Post', 'x'.repeat(262_145))],
    [2, 'EXPIRED', () => enclave.make(member, 'Post', 'x', at(-70_000))],
    [2, 'EXP_TOO_FAR', () => enclave.make(member, 'Post', 'x', at(3_700_000))],
    [3, 'INVALID_HASH', () => ({ ...enclave.make(member, 'Post', 'x'), hash: UNKNOWN })],
    [4, 'INVALID_SIGNATURE', () => ({ ...enclave.make(member, 'Post', 'x'), sig: '00'.repeat(64) })],
    [5, 'DUPLICATE', () => done],
    [6, 'ENCLAVE_NOT_FOUND', () => ({ ...signCommit(member, { enclave: UNKNOWN, from: member.pub,
      type: 'Post', content: '', exp: Date.now(), tags: [] }) })],
    [6, 'ENCLAVE_EXISTS', () => makeManifest(owner, enclave.manifest.content, at(61_000))],
    [6, 'INVALID_MANIFEST', () => makeManifest(owner, '{}')],
    [6, 'ENCLAVE_TERMINATED', () => ended.make(ended.owner, 'Post', 'late')],
    [7, 'UNAUTHORIZED', () => enclave.make(newKey(), 'Post', 'x')],
    [7, 'GATE_CLOSED', () => enclave.make(member, 'Note', 'x')],
    [8, 'UNAUTHORIZED', () => enclave.make(owner, 'Grant', grant('Owner'))],
    [8, 'INVALID_CONTENT', () => enclave.make(owner, 'Grant', 'not JSON')],
    [8, 'TARGET_LACKS_ROLE', () => enclave.make(owner, 'Revoke', grant('Admin'))],
    [8, 'EVENT_NOT_FOUND', () => enclave.make(newKey(), 'Update', 'x', refersTo(UNKNOWN))],
    [8, 'ALREADY_DELETED', () => enclave.make(member, 'Delete', '', refersTo(gone.id))],
    [8, 'INVALID_CONTENT', () => enclave.make(member, 'Delete', 'odd', refersTo(post.id))],
  ];

  /** How the counters that the pattern fits change while body runs. */
  async function during(pattern, body) {
    const before = await readMetrics(daemon);
    await body();
    return changed(before, await readMetrics(daemon), pattern);
  }

  await check('promtool finds nothing to say', async () => {
    judge('promtool', ['check', 'metrics'], await scrape(daemon));
    judge('promtool', ['check', 'metrics'], asPlain(await scrape(daemon, OPEN_METRICS)));
    assert.throws(() => judge('promtool', ['check', 'metrics'], '# TYPE a gauge\na_total 1\n'));
  });
  await check('OpenMetrics holds before an independent parser, family by family', async () => {
    const text = await scrape(daemon, OPEN_METRICS);
    const families = JSON.parse(judge('/usr/bin/python3', ['-c', PARSER], text));
    const kinds = new Map(families.map(([name, type]) => [name, type]));
    const told = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
    assert.ok(told.length > 40);
    for (const [name, type] of told) assert.equal(kinds.get(name), type, name);
    assert.equal(families.find(([name]) => name === 'enclaved_commit_duration_seconds')[2], 'seconds');
    assert.throws(() => judge('/usr/bin/python3', ['-c', PARSER], text.replace('# EOF\n', '')));
  });
  await check('the two formats have the same series', async () => {
    const [plain, open] = [await scrape(daemon), await scrape(daemon, OPEN_METRICS)].map(parsePage);
    assert.deepEqual([...plain.keys()], [...open.keys()]);
    assert.ok(plain.size > 300);
  });
  await check('no label is an enclave, a key or an address', async () => {
    const text = await scrape(daemon);
    assert.doesNotMatch(text, /[0-9a-f]{16}/);
    assert.doesNotMatch(text, /127\.0\.0\.1/);
  });

  await check('accepted commits, over every way in', async () => {
    const count = 12;
    const socket = await Socket.open(client);
    const more = await during(/^enclaved_(commits|commit_refusals|errors)_total/, async () => {
      for (let i = 0; i < count; i++) await enclave.post(member);
      await client.commitSealed(enclave.make(member, 'Post', 'sealed'), carrier);
      socket.commit(enclave.make(member, 'Post', 'by frame'));
      socket.commitSealed(enclave.make(member, 'Post', 'sealed frame'), carrier);
      await socket.next();
      await socket.next();
      await Enclave.create(client, wall);
    });
    await socket.close();
    assert.deepEqual(more, { [commitsOf('enc-node', 'accepted', 14)]: count + 4 });
  });
  await check('refused commits, at each step with each code, over HTTP, sealed and by frame', async () => {
    const expected = {};
    const socket = await Socket.open(client);
    const ways = [
      (commit) => client.post('/', commit),
      (commit) => client.post('/', sealedCommit(client.seqPub, commit, carrier).body),
      (commit) => (socket.commit(commit), socket.next()),
    ];
    const more = await during(/^enclaved_(commits|commit_refusals|errors)_total/, async () => {
      for (const way of ways) for (const [, , make] of REFUSALS) await way(make());
    });
    await socket.close();
    for (const [step, code] of REFUSALS) {
      const status = [...(await readMetrics(daemon)).keys()]
        .find((one) => one.startsWith(`enclaved_errors_total{code="${code}"`)).match(/status="(\d+)"/)[1];
      add(expected, commitsOf('enc-node', 'refused', step), ways.length);
      add(expected, `enclaved_commit_refusals_total{step="${step}",code="${code}",status="${status}"}`,
        ways.length);
      add(expected, `enclaved_errors_total{code="${code}",status="${status}"}`, ways.length);
    }
    assert.deepEqual(more, expected);
  });
  await check('every stage of an accepted commit is timed, and the whole of it', async () => {
    const count = 5;
    const timed = /^enclaved_(stage|commit)_duration_seconds_(count|sum)|^enclaved_transaction/;
    const before = await readMetrics(daemon);
    for (let i = 0; i < count; i++) await enclave.post(member);
    const stage = (name, what) => `enclaved_stage_duration_seconds_${what}{stage="${name}"}`;
    let more;
    await until(async () => {
      more = changed(before, await readMetrics(daemon), timed);
      return more[stage('publish', 'count')] === count;
    }, 'the last answer to be timed');
    const stages = ['dispatch', 'prepare', 'queue', 'judge', 'build', 'seal', 'writer', 'write',
      'sync', 'publish'];
    for (const name of stages) assert.equal(more[stage(name, 'count')], count, name);
    const whole = 'enclaved_commit_duration_seconds';
    assert.equal(more[`${whole}_count{result="accepted"}`], count);
    assert.ok(!(`${whole}_count{result="refused"}` in more));
    /* One after the other: the stages before the answer are parts of the whole. */
    const parts = stages.slice(0, 9).reduce((sum, name) => sum + more[stage(name, 'sum')], 0);
    assert.ok(parts > 0 && parts <= more[`${whole}_sum{result="accepted"}`] * 1.001,
      `${parts} of ${more[`${whole}_sum{result="accepted"}`]}`);
    assert.equal(more['enclaved_transactions_total{result="durable"}'], count);
    assert.equal(more.enclaved_transaction_runs_sum, count);
    assert.equal(more.enclaved_transaction_commits_sum, count);
    assert.equal(more.enclaved_transaction_runs_count, count);
  });

  await check('reads by route, protocol and class', async () => {
    const id = enclave.id;
    const expected = {};
    const session = http2.connect(url);
    const over2 = (route) => new Promise((resolve, reject) => {
      const stream = session.request({ ':path': route });
      stream.on('error', reject).on('end', resolve).resume().end();
    });
    const more = await during(/^enclaved_requests_total/, async () => {
      for (let i = 0; i < 3; i++) await client.get(`/enclave/${id}/sth`);
      for (let i = 0; i < 4; i++) await over2(`/enclave/${id}/sth`);
      for (let i = 0; i < 2; i++) await client.query(id, {}, { as: member });
      await client.get(`/enclave/${id}/info/manifest`);
      await client.get('/info/node');
      await client.get(`/enclave/${UNKNOWN}/sth`);
      await client.get('/nowhere');
      await client.post(`/enclave/${id}/sth`, {});
      await request('OPTIONS', url, '/');
      await client.get('/registry/nodes');
      await client.get(`/registry/nodes/${UNKNOWN}`);
      await over2('/not%2f/mounted');
    });
    session.destroy();
    add(expected, requestOf('/sth', 'GET', 'h1', '2xx'), 3);
    add(expected, requestOf('/sth', 'GET', 'h2', '2xx'), 4);
    add(expected, requestOf('/', 'POST', 'h1', '2xx'), 2);
    add(expected, requestOf('/info/manifest', 'GET', 'h1', '2xx'));
    add(expected, requestOf('/info/node', 'GET', 'h1', '2xx'));
    add(expected, requestOf('/sth', 'GET', 'h1', '4xx'));
    add(expected, requestOf('none', 'none', 'h1', '4xx'), 2);
    add(expected, requestOf('none', 'none', 'h1', '2xx', 'none'));
    add(expected, requestOf('/nodes', 'GET', 'h1', '2xx', 'registry'));
    add(expected, requestOf('/nodes/:id', 'GET', 'h1', '4xx', 'registry'));
    add(expected, requestOf('none', 'none', 'h2', '4xx'));
    assert.deepEqual(more, expected);
    const page = await readMetrics(daemon);
    const counts = [...page].filter(([series]) => series.startsWith('enclaved_request_duration_seconds_count'));
    const requests = [...page].filter(([series]) => series.startsWith('enclaved_requests_total'));
    const sum = (rows) => rows.reduce((all, [, value]) => all + value, 0);
    assert.equal(sum(counts), sum(requests), 'each request is timed');
  });
  await check('sockets, subscriptions and their events', async () => {
    const watched = /^enclaved_(requests_total|subscription|websocket.*(accepted|_open|received))/;
    const room = await Enclave.create(client, wall);
    const sockets = [];
    const more = await during(watched, async () => {
      for (let i = 0; i < 3; i++) sockets.push(await Socket.open(client));
      const subscriptions = sockets.map((socket, i) => socket.query(`s${i}`, room.id, {}));
      for (const one of subscriptions) await one.stored();
      await room.post(owner);
      await room.post(owner);
      for (const one of subscriptions) await one.live(2);
      subscriptions[0].close();
      await subscriptions[0].through('Closed');
      sockets[1].send('{');
      await sockets[1].next();
      await until(async () => (await readMetrics(daemon)).get('enclaved_subscriptions_open') === 2,
        'one subscription to be gone');
    });
    assert.deepEqual(more, {
      [requestOf('/', 'GET', 'h1', '1xx')]: 3,
      [requestOf('/', 'POST', 'h1', '2xx')]: 2,
      [requestOf('/', 'GET', 'ws', '2xx')]: 4,
      [requestOf('/', 'GET', 'ws', '4xx')]: 1,
      enclaved_subscriptions_opened_total: 3,
      enclaved_subscriptions_open: 2,
      enclaved_subscription_events_total: 3 + 6,
      enclaved_websockets_accepted_total: 3,
      enclaved_websockets_open: 3,
      enclaved_websocket_messages_received_total: 5,
    });
    for (const socket of sockets) await socket.close();
    await until(async () => {
      const page = await readMetrics(daemon);
      return page.get('enclaved_subscriptions_open') === 0 && page.get('enclaved_websockets_open') === 0;
    }, 'all of them to be gone');
  });
  await check('pushes by what became of each attempt', async () => {
    const receiver = await Receiver.start();
    receiver.statuses = [500, 200];
    const sink = newKey();
    const before = await readMetrics(daemon);
    await enclave.grant(sink, 'Bell', { endpoint: receiver.url('/bell') });
    await enclave.post(member);
    let more;
    await until(async () => {
      const page = await readMetrics(daemon);
      more = changed(before, page, /^enclaved_push_(attempts|posts_total|queues)/);
      return more['enclaved_push_attempts_total{result="delivered"}'] >= 1 &&
        !page.get('enclaved_push_queues_waiting');
    }, 'the payload to be delivered', 10_000);
    assert.deepEqual(more, {
      'enclaved_push_posts_total{result="accepted"}': 1,
      'enclaved_push_posts_total{result="refused"}': 1,
      'enclaved_push_attempts_total{result="failed"}': 1,
      'enclaved_push_attempts_total{result="delivered"}': 1,
      enclaved_push_queues: 1,
    });
    await enclave.add(owner, 'Revoke', { identity: sink.pub, role: 'Bell' });
    await until(async () => (await readMetrics(daemon)).get('enclaved_push_queues') === 0,
      'the queue to be gone');
    await receiver.stop();
  });
  await check('handshakes by version and result', async () => {
    const shake = (options) => new Promise((resolve) => {
      const socket = tls.connect({ port: tlsPort, host: '127.0.0.1', rejectUnauthorized: false, ...options });
      socket.on('secureConnect', () => socket.end()).on('error', () => {}).on('close', resolve).resume();
    });
    const cut = () => new Promise((resolve) => {
      const socket = net.connect(tlsPort, '127.0.0.1', () => socket.end('GET / HTTP/1.1\r\n\r\n'));
      socket.on('error', () => {}).on('close', resolve).resume();
    });
    const before = await readMetrics(daemon);
    for (let i = 0; i < 3; i++) await shake({ minVersion: 'TLSv1.3' });
    for (let i = 0; i < 2; i++) await shake({ maxVersion: 'TLSv1.2' });
    await shake({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL@SECLEVEL=0' });
    await cut();
    let more;
    await until(async () => {
      more = changed(before, await readMetrics(daemon), /^enclaved_tls_handshakes_total/);
      return Object.values(more).reduce((sum, one) => sum + one, 0) === 7;
    }, 'seven handshakes');
    assert.deepEqual(more, {
      'enclaved_tls_handshakes_total{result="done",version="1.2"}': 2,
      'enclaved_tls_handshakes_total{result="done",version="1.3"}': 3,
      'enclaved_tls_handshakes_total{result="failed",version="none"}': 2,
    });
  });

  await check('the process is shown as the system shows it', async () => {
    const page = await readMetrics(daemon);
    const { pid } = daemon.child;
    const files = fs.readdirSync(`/proc/${pid}/fd`).length;
    assert.ok(Math.abs(page.get('process_open_fds') - files) <= 4, `${page.get('process_open_fds')} ${files}`);
    const rss = Number(fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
    assert.ok(Math.abs(page.get('process_resident_memory_bytes') / rss - 1) < 0.2);
    assert.ok(Math.abs(page.get('process_start_time_seconds') - Date.now() / 1000) < 600);
    assert.ok(page.get('process_cpu_seconds_total') > 0);
    const size = fs.statSync(path.join(daemon.data, 'shard-0', 'data.mdb')).size;
    assert.equal(page.get('enclaved_store_file_bytes{shard="0"}'), size);
    const used = page.get('enclaved_store_used_bytes{shard="0"}');
    assert.ok(used > 65536 && used <= size);
    assert.equal(page.get('enclaved_store_used_pages{shard="0"}') * 4096, used);
    assert.ok([...page.keys()].some((series) => /^enclaved_build_info\{version="\d/.test(series)));
  });
  await check('a scrape beside 100,000 enclaves in memory is as fast as one beside ten', async () => {
    const count = 100_000;
    const socket = await Socket.open(client);
    for (let i = 0; i < count; i++) {
      const id = i.toString(16).padStart(64, '0');
      socket.send(`{"type":"Commit","enclave":"${id}","exp":1}`);
      if (i % 500 === 499) await until(() => socket.rest.frames.length > i - 500, 'answers', 30_000);
    }
    await until(() => socket.rest.frames.length === count, 'all answers', 60_000);
    const page = await readMetrics(daemon);
    assert.ok(page.get('enclaved_enclaves_live') >= count, String(page.get('enclaved_enclaves_live')));
    const times = [];
    for (let i = 0; i < 20; i++) {
      const began = performance.now();
      await scrape(daemon);
      times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    console.log(`        median ${times[10].toFixed(1)} ms, slowest ${times[19].toFixed(1)} ms`);
    assert.ok(times[10] < 50, `${times[10]} ms`);
    await socket.close();
  }, 120_000);
  await check('a real Prometheus scrapes it', async () => {
    const folder = newFolder();
    const target = daemon.admin.replace('http://', '');
    const port = await new Promise((resolve) => {
      const server = net.createServer().listen(0, '127.0.0.1', () => {
        const { port: free } = server.address();
        server.close(() => resolve(free));
      });
    });
    fs.writeFileSync(path.join(folder, 'p.yml'), `global: {scrape_interval: 200ms}
scrape_configs: [{job_name: enclaved, static_configs: [{targets: ["${target}"]}]}]\n`);
    const prometheus = spawn('prometheus', [`--config.file=${folder}/p.yml`, '--log.level=error',
      `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' });
    try {
      const ask = async (query) => {
        const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`)
          .catch(() => null);
        return answer?.ok ? (await answer.json()).data.result : [];
      };
      await until(async () => (await ask('up == 1')).length === 1, 'a good scrape', 15_000);
      const [accepted] = await ask('enclaved_commits_total{service="enc-node",result="accepted"}');
      const page = await readMetrics(daemon);
      assert.equal(Number(accepted.value[1]), page.get(commitsOf('enc-node', 'accepted', 14)));
    } finally {
      prometheus.kill('SIGKILL');
    }
  }, 30_000);
  assert.equal((await daemon.stop()).code, 0);
});
