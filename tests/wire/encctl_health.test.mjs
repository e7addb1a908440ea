#!/usr/bin/env node
// encctl health: what orchestrators and people ask (server.md, admin listener).

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { encctl, ENCCTL, start } from './lib/encctl.mjs';
import { Daemon } from './lib/process.mjs';

const FLOOR = { ENCLAVED_LIMITS_DISK_FLOOR_MIB: '1048576' };

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();

  await check('a ready node: status 0, for people and as JSON', async () => {
    const told = await encctl(daemon.admin, 'health');
    assert.deepEqual([told.code, told.err], [0, '']);
    assert.match(told.out, /^status +ready\n$/);
    const json = await encctl(daemon.admin, '--json', 'health');
    assert.deepEqual([json.code, json.lines], [0, [{ status: 'ready' }]]);
  });
  await check('a node below its disk floor: status 1 and the reason', async () => {
    const low = await Daemon.start({ env: FLOOR });
    for (let i = 0; i < 100 && !/"unready"/.test((await encctl(low.admin, '--json', 'health')).out); i++);
    const told = await encctl(low.admin, 'health');
    assert.equal(told.code, 1);
    assert.match(told.out, /unready/);
    assert.match(told.err, /disk_floor/);
    await low.stop();
  });
  await check('a listener that is no admin listener: status 1', async () => {
    const told = await encctl(daemon.url, 'health');
    assert.equal(told.code, 1);
    assert.match(told.err, /not the admin listener/);
  });
  await check('nobody there: status 1', async () => {
    await daemon.stop();
    const told = await encctl(daemon.admin, 'health');
    assert.equal(told.code, 1);
    assert.notEqual(told.err, '');
  });
  await check('without --url it asks the default address of the admin listener', async () => {
    const told = await start(ENCCTL, ['health']).ended;
    assert.ok(told.code === 0 || told.err.includes('127.0.0.1:9464'), told.err);
  });
  await check('a word too many is misuse', async () => {
    assert.equal((await encctl(daemon.admin, 'health', 'x')).code, 2);
  });
});
