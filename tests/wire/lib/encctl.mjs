// Running encctl, and a proxy in front of a node that changes what it says.

import { spawn } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import { PROGRAM } from './process.mjs';
import { request } from './http.mjs';

export const ENCCTL = process.env.ENCCTL ?? path.join(path.dirname(PROGRAM), 'encctl');

const parse = (line) => {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
};

/** A child with its output: { code, signal, out, err, lines } when it has ended. */
export function start(program, args, { input, ...options } = {}) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
  const got = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (got.out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (got.err += text));
  child.stdin.on('error', () => {});
  if (input !== null) child.stdin.end(input ?? '');
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...got,
      lines: got.out.split('\n').filter(Boolean).map(parse) }));
  });
  return { child, got, ended };
}

/** encctl with these words, at a node. */
export function encctl(url, ...words) {
  const options = typeof words.at(-1) === 'object' ? words.pop() : {};
  return start(ENCCTL, ['--url', url, ...words], options).ended;
}

/** A node that lies: { url, close }; lie(json, path) changes an answer or returns another. */
export async function liar(url, lie) {
  const server = http.createServer((incoming, outgoing) => {
    const chunks = [];
    incoming.on('data', (chunk) => chunks.push(chunk));
    incoming.on('end', () => pass(url, lie, incoming, Buffer.concat(chunks), outgoing));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => server.close(() => {});
  server.unref();
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

async function pass(url, lie, incoming, body, outgoing) {
  const sent = incoming.method === 'POST' ? body : undefined;
  const answer = await request(incoming.method, url, incoming.url, sent);
  const told = answer.status === 200 ? lie(answer.json, incoming.url) ?? answer.json : answer.json;
  const text = JSON.stringify(told);
  outgoing.writeHead(answer.status, { 'content-type': 'application/json',
    'content-length': Buffer.byteLength(text) });
  outgoing.end(text);
}
