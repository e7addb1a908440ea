#!/usr/bin/env node
// The operator's guide: what the node can complain of is in its table, what it names is there.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { runSuite } from '../wire/lib/check.mjs';
import { PROGRAM } from '../wire/lib/process.mjs';
import { REPO } from './lib/packs.mjs';

const read = (name) => fs.readFileSync(path.join(REPO, name), 'utf8');
const guide = read('deploy/README.md');
const all = (text, pattern) => [...text.matchAll(pattern)];

await runSuite(async ({ check }) => {
  await check('every warning and error of the log is in the failure table', () => {
    const rows = all(read('net/log.def').replace(/\/\*[^]*?\*\//g, ''),
      /ENC_HAPPENING\(\s*(\w+),\s*(WARN|ERROR),\s*\w+,\s*"([^"]*)"/g);
    assert.ok(rows.length > 15, rows.length);
    const missing = rows.filter(([, , , text]) => !guide.includes(text.split(/[:;]/)[0]));
    assert.deepEqual(missing.map(([, name]) => name), []);
  });
  await check('every reason of /readyz is in the failure table', () => {
    const reasons = all(read('net/admin.c'), /\{ENC_UNREADY_\w+, "(\w+)"\}/g).map(([, reason]) => reason);
    assert.ok(reasons.length >= 5, reasons);
    assert.deepEqual(reasons.filter((reason) => !guide.includes(`\`${reason}\``)), []);
  });
  await check('every key it names exists', () => {
    const help = execFileSync(PROGRAM, ['--help'], { encoding: 'utf8' });
    const keys = new Set(all(help, /^ {2}([a-z_.-]+) /gm).map(([, key]) => key));
    const named = all(guide, /`((?:limits|tls|proxy|push|store|cors)\.[a-z_.]+)`/g).map(([, key]) => key);
    assert.ok(named.length > 10, named.length);
    assert.deepEqual(named.filter((key) => !keys.has(key)), []);
  });
  await check('every link leads somewhere', () => {
    for (const file of ['deploy/README.md', 'deploy/helm/enclaved/README.md'])
      for (const [, link] of all(read(file), /\]\(([^)#]+)(?:#[^)]*)?\)/g))
        assert.ok(fs.existsSync(path.join(REPO, path.dirname(file), link)), `${file}: ${link}`);
  });
  await check('every command of encctl it names exists', () => {
    const help = execFileSync(path.join(path.dirname(PROGRAM), 'encctl'), ['--help'], { encoding: 'utf8' });
    for (const [, command] of all(guide, /`encctl ([a-z]+)/g))
      assert.match(help, new RegExp(`^  ${command} `, 'm'));
  });
});
