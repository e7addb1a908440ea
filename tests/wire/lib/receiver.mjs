// A receiver of pushes: keeps what it gets and answers as told (protocol.md 10).

import assert from 'node:assert/strict';
import http from 'node:http';
import { be64, fromHex, utf8 } from './bytes.mjs';
import { sha256 } from './hash.mjs';
import { verify } from './keys.mjs';
import { openJson, pushKey } from './seal.mjs';
import { until } from './wait.mjs';

function bodyOf(request) {
  return new Promise((resolve) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}

export class Receiver {
  requests = []; /* { at, path, headers, text, payload, status, over } */
  statuses = []; /* answers to the next requests; then 200 */
  inFlight = 0;
  inFlightMax = 0;
  #gate = null;

  static async start(port = 0) {
    const receiver = new Receiver();
    receiver.server = http.createServer((request, response) => receiver.#take(request, response));
    await new Promise((resolve) => receiver.server.listen(port, '127.0.0.1', resolve));
    receiver.port = receiver.server.address().port;
    return receiver;
  }

  url(path, host = '127.0.0.1') {
    return `http://${host}:${this.port}${path}`;
  }

  /** Keep answers back until the returned function is called. */
  hold() {
    let release;
    this.#gate = new Promise((resolve) => (release = resolve));
    return () => {
      this.#gate = null;
      release();
    };
  }

  async #take(request, response) {
    this.inFlight++;
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight);
    const text = await bodyOf(request);
    const entry = { at: Date.now(), path: request.url, method: request.method,
      headers: request.headers, text, payload: JSON.parse(text) };
    this.requests.push(entry);
    if (this.#gate) await this.#gate;
    entry.status = this.statuses.shift() ?? 200;
    this.inFlight--;
    response.writeHead(entry.status).end();
  }

  /** Requests on one path. */
  on(path) {
    return this.requests.filter((entry) => entry.path === path);
  }

  /** The first n requests on a path. */
  async first(n, path, timeout) {
    await until(() => this.on(path).length >= n, `${n} pushes on ${path}`, timeout);
    return this.on(path).slice(0, n);
  }

  stop() {
    this.server.closeAllConnections?.();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

const pushMessage = ({ enclave, to, push_seq: seq, content }) => sha256(
  utf8('enc:push:'), fromHex(enclave, 32), fromHex(to, 32), be64(seq), sha256(utf8(content)));

/** The body of a payload for key, after every check a receiver has to make. */
export function openPush(payload, key, seqPub) {
  assert.equal(payload.type, 'Push');
  assert.equal(payload.from, seqPub);
  assert.equal(payload.to, key.pub);
  assert.ok(verify(payload.sig, pushMessage(payload), seqPub), 'signature of the payload');
  const body = openJson(pushKey(key.priv, seqPub), payload.content);
  assert.equal(body.push_seq, payload.push_seq);
  assert.equal(body.enclave, payload.enclave);
  assert.ok(Array.isArray(body.push) && Array.isArray(body.notify), '68 both arrays are present');
  return body;
}
