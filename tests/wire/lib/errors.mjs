// The closed catalogue of protocol.md 8.7 and how an error answer must look.

import assert from 'node:assert/strict';

const BY_STATUS = {
  400: ['INVALID_REQUEST', 'INVALID_COMMIT', 'INVALID_CONTENT', 'INVALID_HASH', 'EXPIRED',
    'EXP_TOO_FAR', 'INVALID_QUERY', 'INVALID_FILTER', 'INVALID_RANGE', 'UNSUPPORTED_ALG',
    'INVALID_MANIFEST', 'SCHEMA_MISMATCH', 'DECRYPT_FAILED', 'INVALID_PUSH'],
  401: ['INVALID_SIGNATURE', 'INVALID_SESSION', 'SESSION_EXPIRED'],
  403: ['UNAUTHORIZED', 'GATE_CLOSED', 'ENCLAVE_PAUSED'],
  404: ['ENCLAVE_NOT_FOUND', 'EVENT_NOT_FOUND', 'NODE_NOT_FOUND', 'IDENTITY_NOT_FOUND',
    'LEAF_NOT_FOUND', 'ENDPOINT_NOT_FOUND', 'INVALID_ROUTE'],
  405: ['METHOD_NOT_ALLOWED'],
  409: ['DUPLICATE', 'ENCLAVE_EXISTS', 'NOT_BUNDLED', 'ALREADY_DELETED', 'TARGET_LACKS_ROLE',
    'LAST_OWNER'],
  410: ['ENCLAVE_TERMINATED', 'ENCLAVE_MIGRATED'],
  413: ['TOO_LARGE'],
  429: ['RATE_LIMITED'],
  500: ['INTERNAL_ERROR'],
  501: ['PUSH_UNSUPPORTED'],
};

const STATUS = new Map(Object.entries(BY_STATUS).flatMap(
  ([status, codes]) => codes.map((code) => [code, Number(status)])));

export const CODES = [...STATUS.keys()];

/** Assert the shape of an Error body or frame. */
export function assertErrorBody(body, code) {
  assert.equal(body?.type, 'Error', `expected ${code}, got ${JSON.stringify(body)?.slice(0, 300)}`);
  assert.equal(body.code, code, body.message);
  assert.equal(body.error, code.toLowerCase());
  assert.ok(typeof body.message === 'string' && body.message.length > 0, 'message');
}

/** Assert that an HTTP answer is this error, with the status of the catalogue. */
export function assertError(answer, code) {
  assertErrorBody(answer.json, code);
  assert.equal(answer.status, STATUS.get(code));
  return answer.json;
}

export function assertOk(answer) {
  assert.equal(answer.status, 200, `${answer.status} ${answer.text?.slice(0, 300)}`);
  return answer;
}
