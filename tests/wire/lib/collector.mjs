// A collector of traces: takes POSTs of OTLP/HTTP in JSON, checks their form member by member, and keeps the spans
// (opentelemetry-proto 1.x, trace.proto, in the JSON of OTLP).

import assert from 'node:assert/strict';
import http from 'node:http';
import { until } from './wait.mjs';

const hex = (length) => (value, where) => {
  assert.match(value, new RegExp(`^[0-9a-f]{${length}}$`), where);
  assert.notEqual(value, '0'.repeat(length), where);
};
const text = (value, where) => assert.equal(typeof value, 'string', where);
const name = (value, where) => assert.ok(typeof value === 'string' && value.length > 0, where);
const u64 = (value, where) => {
  assert.ok(typeof value === 'string' && /^(0|[1-9]\d{0,19})$/.test(value), where);
  assert.ok(BigInt(value) < 1n << 64n, where);
};
const u32 = (value, where) => assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 32, where);
const oneOf = (...values) => (value, where) => assert.ok(values.includes(value), where);
const list = (item) => (value, where) => {
  assert.ok(Array.isArray(value), where);
  value.forEach((one, i) => item(one, `${where}[${i}]`));
};

/** Every member known and of its kind; those that must be there are. */
const object = (members, needed = Object.keys(members)) => (value, where) => {
  assert.ok(value !== null && typeof value === 'object' && !Array.isArray(value), where);
  for (const key of Object.keys(value)) {
    assert.ok(Object.hasOwn(members, key), `${where}.${key} is unknown`);
    members[key](value[key], `${where}.${key}`);
  }
  for (const key of needed) assert.ok(key in value, `${where}.${key} is missing`);
};

const anyValue = (value, where) => {
  object({ stringValue: text, intValue: u64, boolValue: oneOf(true, false) }, [])(value, where);
  assert.equal(Object.keys(value).length, 1, where);
};
const attributes = (value, where) => {
  list(object({ key: name, value: anyValue }))(value, where);
  const keys = value.map(({ key }) => key);
  assert.equal(new Set(keys).size, keys.length, `${where}: a key is there twice`);
};
const span = object({ traceId: hex(32), spanId: hex(16), parentSpanId: hex(16), flags: u32, name, attributes,
  kind: oneOf(1, 2, 3), startTimeUnixNano: u64, endTimeUnixNano: u64, status: object({ code: oneOf(0, 1, 2) }) },
['traceId', 'spanId', 'flags', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano']);
const request = object({ resourceSpans: list(object({ resource: object({ attributes }),
  scopeSpans: list(object({ scope: object({ name, version: name }), spans: list(span) })) })) });

const plain = (pairs = []) => Object.fromEntries(pairs.map(({ key, value }) =>
  [key, 'intValue' in value ? Number(value.intValue) : Object.values(value)[0]]));

function opened(one) {
  const begin = BigInt(one.startTimeUnixNano);
  const end = BigInt(one.endTimeUnixNano);
  assert.ok(end >= begin, 'it ends before it begins');
  assert.equal(one.flags & 1, 1, 'a span that is exported is sampled');
  return { ...one, attributes: plain(one.attributes), begin, end };
}

export class Collector {
  posts = []; /* { at, path, headers, text, resource, spans } */
  spans = []; /* of the posts that were answered 200 */
  answers = []; /* { status, headers } to the next posts; then 200 */
  faults = [];
  isStuck = false;

  static async start() {
    const collector = new Collector();
    collector.server = http.createServer((call, response) => collector.#take(call, response));
    await new Promise((resolve) => collector.server.listen(0, '127.0.0.1', resolve));
    collector.url = `http://127.0.0.1:${collector.server.address().port}`;
    return collector;
  }

  async #take(call, response) {
    const chunks = [];
    for await (const chunk of call) chunks.push(chunk);
    if (this.isStuck) return;
    const { status, headers = {} } = this.answers.shift() ?? { status: 200 };
    try {
      this.#keep(call, Buffer.concat(chunks), status);
    } catch (error) {
      this.faults.push(error.message);
    }
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}');
  }

  #keep(call, bytes, status) {
    const body = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const json = JSON.parse(body);
    assert.equal(call.method, 'POST');
    request(json, 'body');
    const [{ resource, scopeSpans }] = json.resourceSpans;
    const spans = scopeSpans.flatMap((scope) => scope.spans.map(opened));
    assert.ok(spans.length > 0, 'nothing in it');
    this.posts.push({ at: Date.now(), path: call.url, headers: call.headers, text: body,
      resource: plain(resource.attributes), spans });
    if (status === 200) this.spans.push(...spans);
  }

  /** The spans of a trace, once there are as many as count. */
  of(traceId, count) {
    const mine = () => this.spans.filter((one) => one.traceId === traceId);
    return until(() => mine().length >= count && mine(), `${count} spans of ${traceId}`);
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
