// One attack in a thread of its own, so that the test beside it can tell how the server answers others.

import { parentPort, workerData } from 'node:worker_threads';
import { ATTACKS } from './attacks.mjs';

const { name, url, materials, seconds } = workerData;
const until = Date.now() + seconds * 1000;
const done = await ATTACKS[name]({ url, materials, on: () => Date.now() < until });
parentPort.postMessage(done ?? {});
process.exit(0);
