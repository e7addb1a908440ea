// WebSocket frames byte by byte, over a connection with nothing in between (RFC 6455).

import { randomBytes } from 'node:crypto';
import { Raw } from './raw.mjs';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='; /* RFC 6455 1.3, with the answer it wants */
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const HANDSHAKE = { Host: 't', Upgrade: 'websocket', Connection: 'Upgrade',
  'Sec-WebSocket-Key': KEY, 'Sec-WebSocket-Version': '13' };

export const handshake = (more = {}, method = 'GET', version = '1.1') =>
  `${method} / HTTP/${version}\r\n${Object.entries({ ...HANDSHAKE, ...more })
    .filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;

/** A client's frame; mask null leaves it unmasked. */
export function wsFrame(opcode, payload = '', { fin = true, rsv = 0, mask = randomBytes(4), length } = {}) {
  const data = Buffer.from(payload);
  const said = length ?? data.length;
  const head = [(fin ? 0x80 : 0) | rsv << 4 | opcode];
  const wide = said < 126 ? 0 : said <= 0xffff ? 2 : 8;
  head.push((mask ? 0x80 : 0) | (wide === 0 ? said : wide === 2 ? 126 : 127));
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(said));
  const masked = mask ? data.map((byte, i) => byte ^ mask[i & 3]) : data;
  return Buffer.concat([Buffer.from(head), size.subarray(8 - wide), mask ?? Buffer.alloc(0), masked]);
}

/** Server frames behind the handshake: { opcode, rsv, masked, payload }. */
export function serverFrames(raw) {
  const start = raw.text.indexOf('\r\n\r\n') + 4;
  const frames = [];
  for (let rest = raw.bytes.subarray(start); rest.length >= 2;) {
    const short = rest[1] & 127;
    const wide = short < 126 ? 0 : short === 126 ? 2 : 8;
    const length = wide === 0 ? short : wide === 2 ? rest.readUInt16BE(2)
      : Number(rest.readBigUInt64BE(2));
    if (rest.length < 2 + wide + length) break;
    frames.push({ opcode: rest[0] & 15, rsv: rest[0] >> 4 & 7, masked: rest[1] >> 7,
      payload: rest.subarray(2 + wide, 2 + wide + length) });
    rest = rest.subarray(2 + wide + length);
  }
  return frames;
}

export const closeCode = (raw) => serverFrames(raw).filter((got) => got.opcode === 8)
  .map((got) => (got.payload.length ? got.payload.readUInt16BE(0) : null))[0];

/** A raw connection behind a handshake with these fields added. */
export async function upgraded(url, more = {}, path = '/') {
  const raw = await Raw.open(url);
  raw.write(handshake(more).replace('GET / ', `GET ${path} `));
  await raw.whenText(/101 Switching Protocols[\s\S]*\r\n\r\n/);
  return raw;
}
