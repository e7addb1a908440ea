// Plain HTTP/1.1 requests with nothing tidied up on the way: any path, any body bytes.

import http from 'node:http';

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

/** From now on so many connections to a node at once. */
export const widen = (connections) => (agent.maxSockets = connections);

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function collect(response, resolve, reject) {
  const chunks = [];
  response.on('data', (chunk) => chunks.push(chunk));
  response.on('error', reject);
  response.on('end', () => {
    const text = Buffer.concat(chunks).toString('utf8');
    const { statusCode: status, headers } = response;
    resolve({ status, headers, text, json: parse(text) });
  });
}

/** { status, headers, text, json }; body is a string or bytes. */
export function request(method, base, path, body, headers = {}) {
  const { hostname, port } = new URL(base);
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const sized = bytes && !headers['transfer-encoding'];
  const length = sized ? { 'content-length': bytes.length } : {};
  const type = bytes ? { 'content-type': 'application/json' } : {};
  const options = { agent, method, hostname: hostname.replace(/^\[|\]$/g, ''), port, path };
  return new Promise((resolve, reject) => {
    const call = http.request({ ...options, headers: { ...type, ...length, ...headers } });
    call.on('response', (response) => collect(response, resolve, reject));
    call.on('error', reject);
    call.end(bytes);
  });
}
