#!/usr/bin/env node
// permessage-deflate: negotiation, one compression for all subscribers, bounded inflation, never for secrets (RFC 7692).

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { runSuite } from './lib/check.mjs';
import { envelope } from './lib/client.mjs';
import { makeCommit } from './lib/commit.mjs';
import { assertOk } from './lib/errors.mjs';
import { Enclave, forum, wall } from './lib/fixtures.mjs';
import { closeCode, serverFrames, upgraded, wsFrame } from './lib/frames.mjs';
import { request } from './lib/http.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import { clearProof, makeSession, NO_ENCLAVE } from './lib/session.mjs';
import { Socket } from './lib/socket.mjs';
import { until } from './lib/wait.mjs';

const PMD = 'permessage-deflate';
const AGREED = `${PMD}; server_no_context_takeover; client_no_context_takeover`;
const OFFER = { 'Sec-WebSocket-Extensions': PMD };
const RSV1 = 4;
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const MESSAGE_MAX = 1 << 20;
const SUBSCRIBERS = 100;
const EVENTS = 12;

/* field of the offer, field of the answer */
const OFFERS = [
  [PMD, AGREED],
  ['PERMESSAGE-DEFLATE; Client_Max_Window_Bits', AGREED],
  [`${PMD}; client_max_window_bits=8; server_no_context_takeover; client_no_context_takeover`, AGREED],
  [`${PMD}; server_max_window_bits="10"`, `${AGREED}; server_max_window_bits=10`],
  [`${PMD}; server_max_window_bits=8`, `${AGREED}; server_max_window_bits=8`],
  [`${PMD}; server_max_window_bits=7, ${PMD}; server_max_window_bits=12`, `${AGREED}; server_max_window_bits=12`],
  [`x-webkit-deflate-frame, ${PMD}`, AGREED],
  [['x-webkit-deflate-frame', PMD], AGREED],
  [`${PMD}; server_max_window_bits`, null],
  [`${PMD}; server_max_window_bits=16`, null],
  [`${PMD}; server_max_window_bits=08`, null],
  [`${PMD}; client_max_window_bits=16`, null],
  [`${PMD}; client_no_context_takeover=1`, null],
  [`${PMD}; server_no_context_takeover; server_no_context_takeover`, null],
  [`${PMD}; client_max_window_bits; client_max_window_bits`, null],
  [`${PMD}; what`, null],
  [`${PMD};`, null],
  ['permessage-bzip2', null],
  ['', null],
];

const squeeze = (data, flush = constants.Z_SYNC_FLUSH) => {
  const coded = deflateRawSync(data, { level: 9, finishFlush: flush });
  return flush === constants.Z_SYNC_FLUSH ? coded.subarray(0, -4) : coded;
};

const inflate = (payload, windowBits = 15) =>
  inflateRawSync(Buffer.concat([payload, TAIL]), { windowBits, finishFlush: constants.Z_SYNC_FLUSH });

const answerOf = (raw) => raw.text.match(/sec-websocket-extensions: (.*)\r\n/i)?.[1] ?? null;

const texts = (raw) => serverFrames(raw).filter((got) => got.opcode === 1);

const read = ({ rsv, payload }, bits) => JSON.parse(rsv ? inflate(payload, bits) : payload);

const coded = (text, more) => wsFrame(1, squeeze(text), { rsv: RSV1, ...more });

/** A raw subscriber that has had its EOSE. */
async function subscriber(url, body, { fields = OFFER, path, subId = 's' } = {}) {
  const raw = await upgraded(url, fields, path);
  raw.write(wsFrame(1, JSON.stringify({ ...body, sub_id: subId })));
  await until(() => texts(raw).some((got) => String(got.payload).includes('"EOSE"')), 'EOSE');
  return raw;
}

/** The first n texts behind EOSE. */
async function live(raw, n = 1) {
  const from = texts(raw).findIndex((got) => String(got.payload).includes('"EOSE"')) + 1;
  await until(() => texts(raw).length >= from + n, `${n} live frames`);
  return texts(raw).slice(from, from + n);
}

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { url, admin, client } = daemon;
  const enclave = await Enclave.create(client, wall);
  const query = (id) => ({ type: 'Query', enclave: id, content: {} });
  const metric = async (row) => {
    const { text } = await request('GET', admin, '/metrics');
    return Number(text.split('\n').find((line) => line.startsWith(`${row} `))?.split(' ')[1]);
  };
  const resident = () => Number(fs.readFileSync(`/proc/${daemon.child.pid}/status`, 'utf8')
    .match(/VmHWM:\s+(\d+)/)[1]) * 1024;

  for (const [offer, answer] of OFFERS) {
    await check(`7.1 ${JSON.stringify(offer)} is ${answer ? 'taken' : 'declined'}`, async () => {
      const fields = Array.isArray(offer) ? { 'Sec-WebSocket-Extensions': offer.join('\r\nSec-WebSocket-Extensions: ') }
        : { 'Sec-WebSocket-Extensions': offer };
      const raw = await upgraded(url, fields);
      assert.equal(answerOf(raw), answer);
      raw.write(wsFrame(1, '{"type":"Odd"}'));
      await until(() => texts(raw).length, 'an answer');
      raw.end();
    });
  }
  await check('7.1 no offer, no answer', async () => {
    const raw = await upgraded(url);
    assert.equal(answerOf(raw), null);
    raw.end();
  });

  await check('7.2.1 an event: a stored block with what is the subscriber\'s, then what all share', async () => {
    const names = ['s', 'another name', 's'];
    const raws = await Promise.all(names.map((subId) => subscriber(url, query(enclave.id), { subId })));
    const clear = await subscriber(url, query(enclave.id), { fields: {} });
    await enclave.post(enclave.owner, 'a public post '.repeat(20));
    const [plain] = await live(clear);
    assert.equal(plain.rsv, 0);
    const shared = [];
    for (const [i, raw] of raws.entries()) {
      const [got] = await live(raw);
      assert.equal(got.rsv, RSV1);
      const len = got.payload.readUInt16LE(1);
      assert.deepEqual([got.payload[0], got.payload.readUInt16LE(3)], [0, 0xffff ^ len]);
      assert.match(String(got.payload.subarray(5, 5 + len)), new RegExp(`"sub_id":"${names[i]}"`));
      shared.push(got.payload.subarray(5 + len));
      assert.deepEqual(read(got), { ...read(plain), sub_id: names[i] });
      assert.ok(got.payload.length < plain.payload.length * 0.8, `${got.payload.length} of ${plain.payload.length}`);
    }
    assert.ok(shared[0].equals(shared[1]) && shared[0].equals(shared[2]));
    assert.ok(!shared[0].subarray(-4).equals(TAIL));
    [...raws, clear].forEach((raw) => raw.end());
  });
  await check(`${SUBSCRIBERS} subscribers, half of them compressed: the same events, each compressed once`, async () => {
    const other = await Enclave.create(client, wall);
    const sockets = await Promise.all(Array.from({ length: SUBSCRIBERS }, (_, i) =>
      Socket.open(client, '/', { perMessageDeflate: i % 2 === 0 })));
    const subs = sockets.map((socket) => socket.query('s', other.id, {}));
    await Promise.all(subs.map((sub) => sub.stored()));
    sockets.forEach((socket, i) => assert.equal(socket.raw.extensions.includes(PMD), i % 2 === 0));
    const rows = ['enclaved_websocket_compressions_total', 'enclaved_websocket_messages_compressed_total'];
    const before = await Promise.all(rows.map(metric));
    for (let i = 0; i < EVENTS; i++) await other.post(other.owner, `${i} `.repeat(20 + i * 40));
    const all = await Promise.all(subs.map((sub) => sub.live(EVENTS)));
    for (const frames of all) assert.deepEqual(frames, all[0]);
    const after = await Promise.all(rows.map(metric));
    assert.deepEqual(after.map((n, i) => n - before[i]), [EVENTS, EVENTS * SUBSCRIBERS / 2]);
    sockets.forEach((socket) => socket.terminate());
  }, 30_000);
  await check('7.1.2.1 a small window gets what fits into it, and the rest in clear', async () => {
    const raw = await subscriber(url, query(enclave.id),
      { fields: { 'Sec-WebSocket-Extensions': `${PMD}; server_max_window_bits=10` } });
    await enclave.post(enclave.owner, 'x');
    await enclave.post(enclave.owner, 'y'.repeat(2000));
    const [small, large] = await live(raw, 2);
    assert.deepEqual([small.rsv, large.rsv], [RSV1, 0]);
    assert.deepEqual([small, large].map((got) => read(got, 10).event.content), ['x', 'y'.repeat(2000)]);
    raw.end();
  });
  await check('websocket.deflate_min: what is shorter stays as it is', async () => {
    const high = await Daemon.start({ env: { ENCLAVED_WEBSOCKET_DEFLATE_MIN: '2000' } });
    const other = await Enclave.create(high.client, wall);
    const raw = await subscriber(high.url, query(other.id));
    await other.post(other.owner, 'x');
    await other.post(other.owner, 'y'.repeat(3000));
    const [small, large] = await live(raw, 2);
    assert.deepEqual([small.rsv, large.rsv], [0, RSV1]);
    assert.equal(read(large).event.content, 'y'.repeat(3000));
    raw.end();
    await high.stop();
  });
  await check('never what is sealed, ciphertext of a session, receipts, errors, EOSE', async () => {
    const secret = await Enclave.create(client, forum);
    const { body } = envelope(client.seqPub, 'Query', secret.id, {}, { as: secret.owner });
    const sealed = await subscriber(url, body);
    await secret.post(secret.owner, 'z'.repeat(5000));
    assert.equal((await live(sealed))[0].rsv, 0);
    assert.ok((await live(sealed))[0].payload.length > 5000);

    const alice = newKey();
    const proof = (id = NO_ENCLAVE) => clearProof(makeSession(alice), client.seqPub, id);
    const made = (await client.post('/chat/api/create-group',
      { creator: alice.pub, name: 'g', members: [], ...proof() })).json;
    const member = await subscriber(url, { type: 'Query', enclave: made.group, from: alice.pub,
      content: { filter: {}, ...proof(made.group) } }, { path: '/chat' });
    const note = makeCommit(alice, made.group, 'Message', 'AAECAwQF'.repeat(500));
    assertOk(await client.post(`/chat/enclave/${made.group}`, note));
    assert.equal((await live(member))[0].rsv, 0);
    assert.ok((await live(member))[0].payload.length > 4000);

    const raw = await upgraded(url, OFFER);
    raw.write(wsFrame(1, JSON.stringify(enclave.make(enclave.owner, 'Post', 'x'.repeat(5000)))));
    raw.write(wsFrame(1, `{"type":"Odd","sub_id":"${'q'.repeat(60)}"}`));
    raw.write(wsFrame(9, 'p'.repeat(125)));
    await until(() => serverFrames(raw).length === 3, 'receipt, error, pong');
    for (const got of [sealed, member, raw].flatMap(serverFrames)) assert.equal(got.rsv, 0);
    [sealed, member, raw].forEach((each) => each.end());
  });

  await check('ws sends compressed commits: accepted as if they were clear', async () => {
    const before = await metric('enclaved_websocket_messages_decompressed_total');
    const socket = await Socket.open(client, '/', { perMessageDeflate: { threshold: 0 } });
    for (const content of ['', 'é😀', 'x'.repeat(200_000)]) {
      socket.commit(enclave.make(enclave.owner, 'Post', content));
      assert.equal((await socket.next()).type, 'Receipt');
    }
    assert.equal(await metric('enclaved_websocket_messages_decompressed_total'), before + 3);
    socket.terminate();
  });
  await check('6.1 a compressed message in fragments, a ping in between, clear ones beside it', async () => {
    const raw = await upgraded(url, OFFER);
    const body = squeeze(JSON.stringify({ type: 'Odd', more: 'm'.repeat(3000) }));
    raw.write(wsFrame(1, body.subarray(0, 3), { fin: false, rsv: RSV1 }));
    raw.write(wsFrame(9, 'in between'));
    for (let at = 3; at < body.length; at++) raw.write(wsFrame(0, body.subarray(at, at + 1), { fin: false }));
    raw.write(wsFrame(0, ''));
    raw.write(wsFrame(1, '{"type":"Odd"}'));
    raw.write(coded('{"type":"Odd"}'));
    await until(() => texts(raw).length === 3, 'three answers');
    texts(raw).forEach((got) => assert.equal(read(got).code, 'INVALID_REQUEST'));
    raw.end();
  });
  await check('a message of exactly 1 MiB once it is inflated', async () => {
    const raw = await upgraded(url, OFFER);
    raw.write(coded(JSON.stringify({ type: 'Odd' }).padEnd(MESSAGE_MAX)));
    await until(() => texts(raw).length, 'an answer');
    assert.equal(read(texts(raw)[0]).code, 'INVALID_REQUEST');
    raw.end();
  });
  const BROKEN = [
    ['a compressed message nobody agreed to', [coded('{}')], 1002, {}],
    ['RSV1 on a continuation', [coded('{', { fin: false }), wsFrame(0, '}', { rsv: RSV1 })], 1002],
    ['RSV1 on a continuation of a clear text', [wsFrame(1, '{', { fin: false }), wsFrame(0, '}', { rsv: RSV1 })], 1002],
    ['RSV1 on a ping', [wsFrame(9, 'x', { rsv: RSV1 })], 1002],
    ['RSV2', [wsFrame(1, '{}', { rsv: 2 })], 1002],
    ['RSV1 and RSV3', [wsFrame(1, '{}', { rsv: 5 })], 1002],
    ['what is no DEFLATE', [wsFrame(1, Buffer.from([6]), { rsv: RSV1 })], 1007],
    ['half a message, even a binary one', [wsFrame(2, Buffer.from([0, 9, 0, 0xf6, 0xff, 0x48]), { rsv: RSV1 })], 1007],
    ['an inflated text that is not UTF-8', [coded(Buffer.from([0x7b, 0xff, 0x7d]))], 1007],
    ['one byte over 1 MiB once it is inflated', [coded(' '.repeat(MESSAGE_MAX + 1))], 1009],
  ];
  for (const [what, frames, code, fields = OFFER] of BROKEN) {
    await check(`${what} closes with ${code}`, async () => {
      const raw = await upgraded(url, fields);
      raw.write(Buffer.concat(frames));
      await raw.whenClosed();
      assert.equal(closeCode(raw), code);
      assert.equal(raw.error, undefined, 'no reset before the code was read');
    });
  }
  await check('bombs, a gibibyte each: closed with 1009, no memory', async () => {
    const block = squeeze(Buffer.alloc(MESSAGE_MAX), constants.Z_FULL_FLUSH);
    const count = Math.floor(MESSAGE_MAX / block.length);
    assert.ok(count > 900, `${count} MiB`);
    const bomb = wsFrame(1, Buffer.concat(Array(count).fill(block)), { rsv: RSV1 });
    const refused = 'enclaved_refusals_total{reason="websocket_inflation"}';
    const [before, peak] = [await metric(refused), resident()];
    for (let i = 0; i < 10; i++) {
      const raw = await upgraded(url, OFFER);
      raw.write(bomb);
      await raw.whenClosed();
      assert.equal(closeCode(raw), 1009);
    }
    assert.equal(await metric(refused), before + 10);
    assert.ok(resident() - peak < 64 << 20, `${(resident() - peak) >> 20} MiB`);
    assert.equal((await client.get('/info/node')).status, 200);
  });
  await check('websocket.deflate: off', async () => {
    const off = await Daemon.start({ env: { ENCLAVED_WEBSOCKET_DEFLATE: 'off' } });
    const raw = await upgraded(off.url, OFFER);
    assert.equal(answerOf(raw), null);
    raw.write(coded('{}'));
    await raw.whenClosed();
    assert.equal(closeCode(raw), 1002);
    await off.stop();
  });
  assert.equal((await daemon.stop()).code, 0);
});
