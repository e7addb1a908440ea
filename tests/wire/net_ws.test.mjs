#!/usr/bin/env node
// WebSocket frames at the edge: handshake, sizes, broken frames, pings, silence, slow readers (RFC 6455, protocol.md 9.5).

import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { runSuite } from './lib/check.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { request } from './lib/http.mjs';
import { Daemon } from './lib/process.mjs';
import { Raw } from './lib/raw.mjs';
import { Socket } from './lib/socket.mjs';
import { ACCEPT, closeCode, handshake, serverFrames, upgraded, wsFrame } from './lib/frames.mjs';
import { mapWide, sleep, until } from './lib/wait.mjs';

const MESSAGE_MAX = 1 << 20;
const PER_ADDRESS = 40;
const PING_MS = 1000;
const SILENCE_MS = 3000;

/* what, frames, close code */
const BROKEN = [
  ['an unmasked frame', [wsFrame(1, '{}', { mask: null })], 1002],
  ['a reserved bit', [wsFrame(1, '{}', { rsv: 4 })], 1002],
  ['a reserved opcode', [wsFrame(3, '{}')], 1002],
  ['a continuation of nothing', [wsFrame(0, '{}')], 1002],
  ['a text inside a text', [wsFrame(1, '{', { fin: false }), wsFrame(1, '}')], 1002],
  ['a fragmented ping', [wsFrame(9, 'x', { fin: false })], 1002],
  ['a ping of 126 bytes', [wsFrame(9, 'x'.repeat(126))], 1002],
  ['a text that is not UTF-8', [wsFrame(1, Buffer.from([0x7b, 0xff, 0x7d]))], 1007],
  ['half a character at the end', [wsFrame(1, Buffer.from([0xe2, 0x82]))], 1007],
  ['a close code that does not exist', [wsFrame(8, Buffer.from([0x03, 0xed]))], 1002],
  ['a message over 1 MiB', [wsFrame(1, ' '.repeat(MESSAGE_MAX + 1))], 1009],
  ['a frame that only says it is huge', [wsFrame(1, 'x', { length: 1e15 })], 1009],
  ['fragments over 1 MiB', [wsFrame(1, ' '.repeat(MESSAGE_MAX - 1), { fin: false }),
    wsFrame(0, '  ', { fin: true })], 1009],
];

await runSuite(async ({ check }) => {
  const env = {
    ENCLAVED_LIMITS_SOCKETS_PER_ADDRESS: String(PER_ADDRESS),
    ENCLAVED_LIMITS_PING_MS: String(PING_MS),
    ENCLAVED_LIMITS_SILENCE_MS: String(SILENCE_MS),
    ENCLAVED_LIMITS_SEND_QUEUE: '524288',
    ENCLAVED_LIMITS_SLOW_GRACE_MS: '6000',
  };
  const daemon = await Daemon.start({ env });
  const { url, admin, client } = daemon;
  const enclave = await Enclave.create(client, wall);
  const metric = async (row) => {
    const { text } = await request('GET', admin, '/metrics');
    return Number(text.split('\n').find((line) => line.startsWith(`${row} `))?.split(' ')[1]);
  };

  await check('the handshake of RFC 6455 1.3', async () => {
    const raw = await upgraded(url);
    assert.match(raw.text, new RegExp(`sec-websocket-accept: ${ACCEPT.replace('+', '\\+')}\r\n`, 'i'));
    assert.match(raw.text, /upgrade: websocket\r\n/i);
    assert.match(raw.text, /connection: upgrade\r\n/i);
    raw.end();
  });
  await check('frames sent with the handshake are not lost', async () => {
    const raw = await Raw.open(url);
    raw.write(Buffer.concat([Buffer.from(handshake()), wsFrame(1, '{"type":"Odd"}')]));
    await until(() => serverFrames(raw).length, 'an answer');
    const [{ opcode, masked, payload }] = serverFrames(raw);
    assert.deepEqual([opcode, masked], [1, 0]);
    assert.equal(JSON.parse(payload).code, 'INVALID_REQUEST');
    raw.end();
  });
  for (const [what, more, status] of [
    ['version 12', { 'Sec-WebSocket-Version': '12' }, 426],
    ['no version', { 'Sec-WebSocket-Version': undefined }, 426],
    ['no key', { 'Sec-WebSocket-Key': undefined }, 400],
    ['a short key', { 'Sec-WebSocket-Key': 'aGk=' }, 400],
    ['a key that is not base64', { 'Sec-WebSocket-Key': '?'.repeat(22) + '==' }, 400],
    ['Upgrade without Connection', { Connection: 'keep-alive' }, 405],
  ]) {
    await check(`a handshake with ${what} is ${status}`, async () => {
      const raw = await Raw.open(url);
      raw.write(handshake(more));
      await raw.whenText(/HTTP\/1\.1 \d{3}[\s\S]*\r\n\r\n/);
      assert.deepEqual(raw.statuses, [status]);
      assert.equal(raw.json.type, 'Error');
      if (status === 426) assert.match(raw.text, /sec-websocket-version: 13\r\n/i);
      raw.end();
    });
  }
  await check('a handshake on a path that is no WebSocket is refused', async () => {
    const raw = await Raw.open(url);
    raw.write(handshake().replace('GET / ', 'GET /nowhere '));
    await raw.whenText(/HTTP\/1\.1 404/);
    raw.end();
  });
  for (const [what, frames, code] of BROKEN) {
    await check(`${what} closes with ${code}`, async () => {
      const raw = await upgraded(url);
      raw.write(Buffer.concat(frames));
      await raw.whenClosed();
      assert.equal(closeCode(raw), code);
      assert.equal(raw.error, undefined, 'no reset before the code was read');
    });
  }
  await check('a message of exactly 1 MiB, whole and in fragments', async () => {
    const body = JSON.stringify({ type: 'Odd' }).padEnd(MESSAGE_MAX);
    const raw = await upgraded(url);
    raw.write(wsFrame(1, body));
    await until(() => serverFrames(raw).length === 1, 'an answer');
    raw.write(wsFrame(1, body.slice(0, 7), { fin: false }));
    raw.write(wsFrame(9, 'in between'));
    raw.write(wsFrame(0, body.slice(7, 500_000), { fin: false }));
    raw.write(wsFrame(0, body.slice(500_000)));
    await until(() => serverFrames(raw).length === 3, 'pong and answer');
    const frames = serverFrames(raw);
    assert.deepEqual(frames.map((got) => got.opcode), [1, 10, 1]);
    assert.equal(String(frames[1].payload), 'in between');
    assert.equal(JSON.parse(frames[2].payload).code, 'INVALID_REQUEST');
    raw.end();
  });
  await check('a million bytes in fragments of one byte', async () => {
    const raw = await upgraded(url);
    const byte = wsFrame(0, ' ', { fin: false, mask: Buffer.alloc(4) });
    raw.write(wsFrame(1, '{"type":"Odd"}', { fin: false }));
    raw.write(Buffer.concat(Array.from({ length: 1_000_000 }, () => byte)));
    raw.write(wsFrame(0, ''));
    await until(() => serverFrames(raw).some((got) => got.opcode === 1), 'an answer', 15_000);
    raw.end();
  });
  await check('our close is answered with the same code, and the connection ends', async () => {
    const raw = await upgraded(url);
    raw.write(wsFrame(8, Buffer.from([0x0b, 0xb8, 0x62, 0x79, 0x65])));
    await raw.whenClosed();
    assert.equal(closeCode(raw), 3000);
  });
  await check('a flood of pings from a client that does not read is answered once it does', async () => {
    const raw = await upgraded(url);
    raw.socket.pause();
    for (let i = 0; i < 20; i++) {
      raw.write(Buffer.concat(Array.from({ length: 2000 }, () => wsFrame(9, 'p'.repeat(125)))));
      await sleep(5);
    }
    raw.write(wsFrame(9, 'the last'));
    await sleep(300);
    raw.socket.resume();
    const answered = (got) => got.opcode === 10 && String(got.payload) === 'the last';
    await until(() => serverFrames(raw).some(answered), 'the last pong');
    const pongs = serverFrames(raw).filter((got) => got.opcode === 10).length;
    assert.ok(pongs < 4000, `${pongs} pongs for 40,001 pings`);
    raw.end();
  });
  await check('pings come, and a client that answers them stays', async () => {
    const socket = new WebSocket(url.replace('http', 'ws'));
    let pings = 0;
    socket.on('ping', () => pings++);
    await sleep(SILENCE_MS + 2500);
    assert.ok(pings >= 3, `${pings} pings`);
    assert.equal(socket.readyState, WebSocket.OPEN);
    socket.terminate();
  });
  await check('a silent client is dropped', async () => {
    const before = await metric('enclaved_refusals_total{reason="silent_websocket"}');
    const socket = new WebSocket(url.replace('http', 'ws'), { autoPong: false });
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await closed;
    assert.equal(await metric('enclaved_refusals_total{reason="silent_websocket"}'), before + 1);
  });
  await check('a slow reader that reads again within the grace learns why', async () => {
    const socket = await Socket.open(client, '/', { perMessageDeflate: false });
    const sub = socket.query('s', enclave.id, {});
    await sub.stored();
    socket.raw._socket.pause();
    const text = 'x'.repeat(250_000);
    const overrun = () => metric('enclaved_refusals_total{reason="slow_websocket"}');
    const before = await overrun();
    for (let i = 0; await overrun() === before && i < 100; i++) {
      await enclave.add(enclave.owner, 'Post', `${i} ${text}`);
    }
    assert.equal(await overrun(), before + 1);
    socket.raw._socket.resume();
    await socket.whenClosed();
    assert.equal(socket.closed.code, 1013);
    const last = sub.frames.at(-1);
    assert.deepEqual([last.type, last.reason], ['Closed', 'slow_consumer']);
  }, 40_000);
  await check('a slow reader that stays away is cut after the grace', async () => {
    const open = await metric('enclaved_websockets_open');
    const socket = await Socket.open(client, '/', { perMessageDeflate: false });
    await socket.query('s', enclave.id, { limit: 1 }).stored();
    socket.raw._socket.pause();
    const text = 'y'.repeat(250_000);
    await mapWide(Array.from({ length: 60 }, (_, i) => i), 4,
      (i) => enclave.add(enclave.owner, 'Post', `${i} ${text}`));
    await until(async () => await metric('enclaved_websockets_open') <= open, 'it to be cut', 12_000);
    socket.terminate();
  }, 60_000);
  await check('WebSockets of one address are bounded', async () => {
    const open = async () => {
      const raw = await Raw.open(url);
      raw.write(handshake());
      await raw.whenText(/HTTP\/1\.1 \d{3}/);
      return raw;
    };
    const all = [];
    for (let i = 0; i < PER_ADDRESS + 5; i++) all.push(await open());
    assert.deepEqual(all.map((raw) => raw.statuses[0]),
      [...Array(PER_ADDRESS).fill(101), ...Array(5).fill(429)]);
    assert.equal(all.at(-1).json.code, 'RATE_LIMITED');
    assert.match(all.at(-1).text, /retry-after: 1\r\n/i);
    all.forEach((raw) => raw.end());
    await until(async () => await metric('enclaved_websockets_open') === 0, 'all to be gone');
    (await open()).end();
  });
  assert.equal((await daemon.stop()).code, 0);
});
