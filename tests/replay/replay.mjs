#!/usr/bin/env node
// Recompute an enclave from its events and say the first thing that is wrong.
//   replay.mjs FILE [SEQ_PUB]        NDJSON of events (or of Response elements); "-" reads stdin
//   replay.mjs URL ENCLAVE KEY_FILE  fetch from a node as the reader whose key is in the file, and
//                                    compare tree heads, states and proofs too

import fs from 'node:fs';
import { fromHex } from '../wire/lib/bytes.mjs';
import { Client } from '../wire/lib/client.mjs';
import { keyOf } from '../wire/lib/keys.mjs';
import { auditNode } from './audit.mjs';
import { Replay, ReplayFault } from './log.mjs';

function replayFile(name, seqPub) {
  const lines = fs.readFileSync(name === '-' ? 0 : name, 'utf8').split('\n').filter(Boolean);
  const elements = lines.map((line) => JSON.parse(line));
  const replay = new Replay(seqPub);
  if (elements[0]?.event) replay.pushAll(elements);
  else elements.forEach((event) => replay.push(event));
  return replay.model;
}

async function replayNode(url, enclave, keyFile) {
  const key = keyOf(fromHex(fs.readFileSync(keyFile, 'utf8').trim(), 32));
  return auditNode(await Client.of(url), enclave, key);
}

function usage() {
  console.error('usage: replay.mjs FILE [SEQ_PUB] | replay.mjs URL ENCLAVE KEY_FILE');
  process.exit(2);
}

async function main([source, ...rest]) {
  if (!source) usage();
  const remote = /^https?:/.test(source);
  const model = await (remote ? replayNode(source, ...rest) : replayFile(source, ...rest));
  console.log(JSON.stringify({ enclave: model.enclave, sequencer: model.seqPub, seq: model.seq,
    status: model.status, state_hash: model.stateHash,
    ct: { ts: model.leaves.length, r: model.ctRoot }, open: model.open.length }));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error instanceof ReplayFault ? error.message : error.stack);
  process.exit(1);
});
