#!/usr/bin/env node
// The documents of every mount before those who judge such documents: redocly and the parser of AsyncAPI.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSuite } from '../wire/lib/check.mjs';
import { request } from '../wire/lib/http.mjs';
import { Daemon, newFolder } from '../wire/lib/process.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const TOOLS = path.join(HERE, '../../build/tools/api');
const FILES = ['package.json', 'package-lock.json'];
const MOUNTS = ['', '/registry', '/chat', '/timeline'];
const ERROR = 0; /* the parser's severity */
const SLOW_MS = 120_000;

/** Install the validators; a text why not, or null. */
function install() {
  fs.mkdirSync(TOOLS, { recursive: true });
  const is_there = fs.existsSync(path.join(TOOLS, 'node_modules')) && FILES.every((file) =>
    fs.existsSync(path.join(TOOLS, file)) &&
    fs.readFileSync(path.join(HERE, file)).equals(fs.readFileSync(path.join(TOOLS, file))));
  if (is_there) return null;
  FILES.forEach((file) => fs.copyFileSync(path.join(HERE, file), path.join(TOOLS, file)));
  try {
    execFileSync('npm', ['ci', '--prefix', TOOLS, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      { stdio: 'pipe', timeout: 300_000 });
    return null;
  } catch (error) {
    fs.rmSync(path.join(TOOLS, 'node_modules'), { recursive: true, force: true });
    return `npm gives no validators: ${String(error.stderr ?? error).split('\n')[0]}`;
  }
}

function lint(document) {
  const file = path.join(newFolder(), 'openapi.json');
  fs.writeFileSync(file, JSON.stringify(document));
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const words = [path.join(TOOLS, 'node_modules/.bin/redocly'), 'lint', '--format=json', file];
  const done = spawnSync(words[0], words.slice(1), { env, encoding: 'utf8', cwd: path.dirname(file) });
  const { problems } = JSON.parse(done.stdout);
  return problems.filter((problem) => problem.severity === 'error').map((problem) => problem.message);
}

await runSuite(async ({ check, skip }) => {
  const daemon = await Daemon.start();
  const get = async (file) => (await request('GET', daemon.url, file)).json;
  await check('the documents are there', async () => {
    assert.equal((await get('/openapi.json')).openapi, '3.1.0');
    assert.equal((await get('/asyncapi.json')).asyncapi, '3.0.0');
  });
  const why = install();
  if (why) {
    skip('redocly and the parser of AsyncAPI', why);
    return;
  }
  const { Parser } = createRequire(path.join(TOOLS, 'package.json'))('@asyncapi/parser');
  const parse = async (document) => {
    const { diagnostics } = await new Parser().parse(JSON.stringify(document));
    return diagnostics.filter((fault) => fault.severity === ERROR).map((fault) => fault.message);
  };
  for (const mount of MOUNTS) {
    await check(`redocly has no error for ${mount || '/'}`, async () =>
      assert.deepEqual(lint(await get(`${mount}/openapi.json`)), []), SLOW_MS);
    await check(`the parser of AsyncAPI has no error for ${mount || '/'}`, async () =>
      assert.deepEqual(await parse(await get(`${mount}/asyncapi.json`)), []), SLOW_MS);
  }
  await check('both notice a document that is wrong', async () => {
    const open = await get('/openapi.json');
    delete open.info.title;
    assert.notDeepEqual(lint(open), []);
    const async_ = await get('/asyncapi.json');
    async_.operations.toClient.action = 'shout';
    assert.notDeepEqual(await parse(async_), []);
  }, SLOW_MS);
});
