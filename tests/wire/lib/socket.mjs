// WebSocket client: frames in order, sealed ones opened with their subscription's channel.

import WebSocket from 'ws';
import { envelope, sealedCommit } from './client.mjs';
import { until } from './wait.mjs';

const FRAME_MS = 8000;

/** Frames of one subscription, or of everything else on the socket. */
class Inbox {
  frames = [];

  next(timeout = FRAME_MS) {
    return until(() => this.frames.shift(), 'a frame', timeout);
  }

  /** All frames up to and with the first of this type. */
  async through(type, timeout = FRAME_MS) {
    const got = [];
    do got.push(await this.next(timeout)); while (got.at(-1).type !== type);
    return got;
  }
}

export class Subscription extends Inbox {
  constructor(socket, subId, open) {
    super();
    Object.assign(this, { socket, subId, open });
  }

  /** Stored elements, then EOSE. */
  async stored(timeout) {
    const frames = await this.through('EOSE', timeout);
    const odd = frames.slice(0, -1).find((frame) => frame.type !== 'Event');
    if (odd) throw new Error(`before EOSE: ${JSON.stringify(odd)}`);
    return frames.slice(0, -1);
  }

  /** n live Event frames. */
  async live(n, timeout) {
    const frames = [];
    while (frames.length < n) {
      frames.push(await this.next(timeout));
      if (frames.at(-1).type !== 'Event') throw new Error(JSON.stringify(frames.at(-1)));
    }
    return frames;
  }

  close() {
    this.socket.send({ type: 'Close', sub_id: this.subId });
  }
}

/** An Event frame with event, status and updated_by in the open. */
function openFrame(frame, subscription) {
  if (frame.type !== 'Event' || typeof frame.content !== 'string') return frame;
  const { content, ...outer } = frame;
  try {
    return { ...outer, sealed: content, ...subscription.open(content) };
  } catch (fault) {
    return { ...frame, type: 'unopened', fault };
  }
}

export class Socket {
  rest = new Inbox(); /* frames that belong to no subscription of ours */
  order = []; /* every frame as it came */
  closed = null; /* { code, reason } */
  #subscriptions = new Map();

  constructor(client, raw) {
    this.client = client;
    this.raw = raw;
    raw.on('message', (data, binary) => this.#take(data, binary));
    raw.on('close', (code, reason) => (this.closed = { code, reason: String(reason) }));
    raw.on('error', () => {});
  }

  static open(client, path = '/', options = {}) {
    const raw = new WebSocket(client.url.replace('http', 'ws') + path, options);
    const socket = new Socket(client, raw);
    return new Promise((resolve, reject) => {
      raw.on('open', () => resolve(socket));
      raw.on('error', reject);
    });
  }

  #take(data, binary) {
    const frame = binary ? { type: 'binary' } : JSON.parse(data);
    const subscription = this.#subscriptions.get(frame.sub_id);
    this.order.push(frame);
    (subscription ?? this.rest).frames.push(openFrame(frame, subscription));
  }

  send(frame) {
    this.raw.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Subscribe; how: { as, session } as in client.mjs. */
  query(subId, enclave, filter, how = {}) {
    const content = filter === undefined ? {} : { filter };
    const { body, open } = envelope(this.client.seqPub, 'Query', enclave, content, how);
    return this.subscribe(subId, body, open);
  }

  /** Subscribe with a frame made elsewhere. */
  subscribe(subId, body, open = JSON.parse) {
    const subscription = new Subscription(this, subId, open);
    this.#subscriptions.set(subId, subscription);
    this.send({ ...body, sub_id: subId });
    return subscription;
  }

  commit(commit) {
    this.send(commit);
  }

  /** Send under a seal; returns what opens the Receipt. */
  commitSealed(commit, carrier, outer = {}) {
    const { body, open } = sealedCommit(this.client.seqPub, commit, carrier, outer);
    this.send(body);
    return open;
  }

  /** The next frame that is no subscription's. */
  next(timeout) {
    return this.rest.next(timeout);
  }

  whenClosed(timeout = FRAME_MS) {
    return until(() => this.closed, 'the socket to close', timeout);
  }

  close() {
    this.raw.close();
    return this.whenClosed();
  }

  terminate() {
    this.raw.terminate();
  }
}
