// A client of one node: commits, queries, pulls, proofs; clear and sealed (protocol.md 8).

import { assertOk } from './errors.mjs';
import { request } from './http.mjs';
import { makeSession, signerChannel } from './session.mjs';
import { openJson, sealJson } from './seal.mjs';

const sessions = new WeakMap();

/** The one session of a key that requests use when none is given. */
export function sessionOf(key) {
  if (!sessions.has(key)) sessions.set(key, makeSession(key));
  return sessions.get(key);
}

/** { body, open(content) } for content as key `as` (sealed) or as nobody (clear). */
export function envelope(seqPub, type, enclave, content, { as, session, ...outer } = {}) {
  if (!as) return { body: { type, enclave, content, ...outer }, open: (answer) => answer };
  const { token, channel } = channelOf(seqPub, enclave, session ?? sessionOf(as));
  const sealed = sealJson(channel.query, { session: token, ...content });
  const body = { type, enclave, from: as.pub, signer: channel.signer, content: sealed, ...outer };
  return { body, open: (answer) => openJson(channel.response, answer) };
}

function channelOf(seqPub, enclave, session) {
  return { token: session.token, channel: signerChannel(session, seqPub, enclave) };
}

/** { body, open } for a commit under a seal; any key may carry it. */
export function sealedCommit(seqPub, commit, carrier, outer = {}) {
  const channel = signerChannel(sessionOf(carrier), seqPub, commit.enclave);
  const content = sealJson(channel.query, commit);
  const { enclave, from } = commit;
  const body = { type: 'Commit', enclave, from, signer: channel.signer, content, ...outer };
  return { body, open: (answer) => openJson(channel.response, answer) };
}

export class Client {
  constructor(url, seqPub) {
    this.url = url;
    this.seqPub = seqPub;
  }

  static async of(url) {
    const info = assertOk(await request('GET', url, '/info/node')).json;
    return new Client(url, info.seq_pub);
  }

  get(path) {
    return request('GET', this.url, path);
  }

  /** POST of a value as JSON, or of text and bytes as they are. */
  post(path, body, headers) {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    return request('POST', this.url, path, raw ? body : JSON.stringify(body), headers);
  }

  /** POST of an envelope; answer.content is opened when it is a Response. */
  async send(path, { body, open }) {
    const answer = await this.post(path, body);
    if (answer.json?.type === 'Response') answer.content = open(answer.json.content);
    return answer;
  }

  commit(commit, path = `/enclave/${commit.enclave}`) {
    return this.post(path, commit);
  }

  commitSealed(commit, carrier, path = '/') {
    return this.send(path, sealedCommit(this.seqPub, commit, carrier));
  }

  /** The Receipt of a commit that must be accepted. */
  async accept(commit) {
    return assertOk(await this.commit(commit)).json;
  }

  query(enclave, filter, how = {}) {
    const content = filter === undefined ? {} : { filter };
    return this.send(`/enclave/${enclave}`,
      envelope(this.seqPub, 'Query', enclave, content, how));
  }

  /** Elements of all pages that match; filter.seq is a range, if anything. */
  async queryAll(enclave, filter, how = {}) {
    const elements = [];
    const range = filter.seq ?? {};
    for (let page = filter; page; ) {
      const { events, next } = assertOk(await this.query(enclave, page, how)).content;
      elements.push(...events);
      const more = next !== null;
      page = more ? { ...filter, seq: pageAfter(range, next, filter.reverse) } : null;
    }
    return elements;
  }

  pull(enclave, content, how = {}) {
    return this.send(`/enclave/${enclave}`,
      envelope(this.seqPub, 'Pull', enclave, content, how));
  }

  /** route: inclusion, bundle or state. */
  prove(route, enclave, content, how = {}) {
    return this.send(`/enclave/${enclave}/${route}`,
      envelope(this.seqPub, 'Query', enclave, content, how));
  }

  async sth(enclave) {
    return assertOk(await this.get(`/enclave/${enclave}/sth`)).json;
  }

  async info(enclave) {
    return assertOk(await this.get(`/enclave/${enclave}/info/enclave`)).json;
  }

  async consistency(enclave, from, to) {
    const query = to === undefined ? `from=${from}` : `from=${from}&to=${to}`;
    return assertOk(await this.get(`/enclave/${enclave}/consistency?${query}`)).json;
  }
}

const LOWER = ['start_at', 'start_after'];
const UPPER = ['end_at', 'end_before'];

function pageAfter(range, next, reverse) {
  const replaced = reverse ? UPPER : LOWER;
  const kept = Object.entries(range).filter(([name]) => !replaced.includes(name));
  return { ...Object.fromEntries(kept), [reverse ? 'end_before' : 'start_after']: next };
}
