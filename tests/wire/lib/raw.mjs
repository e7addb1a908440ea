// A TCP connection with nothing between the test and the bytes, and just enough HTTP/2 to misbehave.

import net from 'node:net';
import tls from 'node:tls';
import { until } from './wait.mjs';

export class Raw {
  chunks = [];
  closed = false;

  static open(url, options = {}) {
    const raw = new Raw();
    const { hostname, port, protocol } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    const secure = protocol === 'https:';
    raw.socket = secure ? tls.connect({ host, port, rejectUnauthorized: false, ...options })
      : net.connect({ host, port, ...options });
    raw.socket.on('data', (chunk) => raw.chunks.push(chunk));
    raw.socket.on('close', () => (raw.closed = true));
    raw.opened = new Promise((resolve) => {
      raw.socket.on(secure ? 'secureConnect' : 'connect', () => resolve(true));
      raw.socket.on('error', (error) => resolve(!(raw.error ??= error)));
    });
    return raw.opened.then(() => raw);
  }

  get bytes() {
    return Buffer.concat(this.chunks);
  }

  get text() {
    return this.bytes.toString('latin1');
  }

  /** Status codes of the HTTP/1 answers so far. */
  get statuses() {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
  }

  /** JSON of the last answer's body. */
  get json() {
    return JSON.parse(this.text.slice(this.text.lastIndexOf('\r\n\r\n') + 4));
  }

  write(data) {
    if (!this.socket.destroyed) this.socket.write(data);
    return this;
  }

  whenText(pattern, timeout) {
    return until(() => this.text.match(pattern), `${pattern} in ${this.text.slice(0, 80)}`, timeout);
  }

  whenClosed(timeout) {
    return until(() => this.closed, 'the server to close', timeout);
  }

  end() {
    this.socket.destroy();
  }
}

/** Send text on a connection of its own; { status, json, raw } once the server closed or answered. */
export async function sendRaw(url, text) {
  const raw = await Raw.open(url);
  raw.write(text);
  await raw.whenText(/HTTP\/1\.1 \d{3}[\s\S]*\r\n\r\n/);
  return raw;
}

/* ---- HTTP/2 ---- */

export const H2 = { DATA: 0, HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, PING: 6, GOAWAY: 7,
  WINDOW_UPDATE: 8, CONTINUATION: 9 };
export const END_STREAM = 1;
export const END_HEADERS = 4;

export function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/* HPACK integers and strings: no Huffman, no index. */
function integer(prefix, bits, value) {
  const max = (1 << bits) - 1;
  if (value < max) return Buffer.from([prefix | value]);
  const bytes = [prefix | max];
  for (value -= max; value >= 128; value >>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

const string = (text) => Buffer.concat([integer(0, 7, text.length), Buffer.from(text)]);

/** A header field; indexed puts it into the table of the connection. */
export const field = (name, value, indexed = false) =>
  Buffer.concat([Buffer.from([indexed ? 0x40 : 0]), string(name), string(value)]);

/** :method GET or POST, :scheme http, :path, :authority. */
export const requestBlock = (method, path) => Buffer.concat([
  Buffer.from([method === 'GET' ? 0x82 : 0x83, 0x86]),
  Buffer.concat([Buffer.from([0x04]), string(path)]),
  Buffer.concat([Buffer.from([0x01]), string('test')])]);

export const headers = (stream, block, flags = END_HEADERS | END_STREAM) =>
  frame(H2.HEADERS, flags, stream, block);

export const rst = (stream) => frame(H2.RST_STREAM, 0, stream, Buffer.from([0, 0, 0, 8]));

/** HTTP/2 with prior knowledge; the preface and empty settings are sent. */
export async function openH2(url, options) {
  const raw = await Raw.open(url, options);
  raw.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').write(frame(H2.SETTINGS, 0, 0));
  return raw;
}

/** Frames received so far: { type, flags, stream, payload }. */
export function framesOf(raw) {
  const frames = [];
  let rest = raw.bytes;
  while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
    const length = rest.readUIntBE(0, 3);
    frames.push({ type: rest[3], flags: rest[4], stream: rest.readUInt32BE(5),
      payload: rest.subarray(9, 9 + length) });
    rest = rest.subarray(9 + length);
  }
  return frames;
}
