// helm on a copy of the chart: without network and, where we are root, as nobody.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pack, REPO } from './packs.mjs';

const BINARY_SHA256 = '8c375d1016b2c9754bad8da3ed07ce33c0f9af3bad8890e61737f5137be7396d';
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs'];
const ALONE = process.getuid() === 0 ? ['unshare', '-n', ...NOBODY] : ['unshare', '-r', '-n'];

export class Helm {
  constructor() {
    const binary = path.join(pack('helm'), 'bin', 'helm');
    const hash = createHash('sha256').update(fs.readFileSync(binary)).digest('hex');
    if (hash !== BINARY_SHA256) throw new Error(`${binary} is not helm 3.10.1: ${hash}`);
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'helm-'));
    process.on('exit', () => fs.rmSync(this.folder, { recursive: true, force: true }));
    this.binary = path.join(this.folder, 'helm');
    this.chart = path.join(this.folder, 'enclaved');
    fs.chmodSync(this.folder, 0o755);
    fs.copyFileSync(binary, this.binary);
    fs.chmodSync(this.binary, 0o755);
    fs.cpSync(path.join(REPO, 'deploy/helm/enclaved'), this.chart, { recursive: true });
  }

  /** { status, out, err } */
  run(...words) {
    const env = { PATH: process.env.PATH, HOME: '/nonexistent', HELM_CACHE_HOME: '/nonexistent',
      HELM_CONFIG_HOME: '/nonexistent', HELM_DATA_HOME: '/nonexistent' };
    const done = spawnSync(ALONE[0], [...ALONE.slice(1), this.binary, ...words],
      { cwd: this.folder, env, encoding: 'utf8', timeout: 20_000 });
    return { status: done.status, out: done.stdout, err: done.stderr };
  }

  /** The manifests of the chart with a file of values below it (or none) and further words. */
  template(values, ...words) {
    const file = values ? ['-f', path.join(this.chart, values)] : [];
    return this.run('template', 'r', this.chart, '--namespace', 'ns', '--kube-version', '1.36.0', ...file,
      ...words);
  }
}
