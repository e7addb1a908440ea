#!/usr/bin/env node
// backup beside a working node, restore, accept, compact (server.md, encctl).

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { runSuite } from './lib/check.mjs';
import { encctl, ENCCTL, start } from './lib/encctl.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon, newFolder } from './lib/process.mjs';
import { auditNode } from '../replay/audit.mjs';

const NOWHERE = 'http://127.0.0.1:1';
const run = (...words) => encctl(NOWHERE, '--json', ...words);

async function must(...words) {
  const done = await run(...words);
  assert.equal(done.code, 0, `${words.join(' ')}: ${done.err}${done.out}`);
  return done.lines.at(-1);
}

async function refused(code, text, ...words) {
  const done = await run(...words);
  assert.equal(done.code, code, `${words.join(' ')}: ${done.err}${done.out}`);
  assert.match(done.err + done.out, text);
}

/** A name in a new folder that does not exist yet. */
const fresh = (name = 'out') => path.join(newFolder(), name);

const sha256 = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const listOf = (dir) => JSON.parse(fs.readFileSync(path.join(dir, 'backup.json'), 'utf8'));
const mode = (file) => fs.statSync(file).mode & 0o777;

/** Enclaves that are written to until stopped, and the receipts. */
class Load {
  receipts = [];

  static async start(client, count = 6) {
    const load = new Load();
    load.enclaves = await Promise.all(Array.from({ length: count }, () =>
      Enclave.create(client, wall, { bundle: { size: 3, timeout: 0 } })));
    load.author = newKey();
    load.running = true;
    load.ended = Promise.all(load.enclaves.map((enclave) => load.#write(enclave)));
    return load;
  }

  async #write(enclave) {
    while (this.running) this.receipts.push(await enclave.post(this.author));
  }

  async until(count) {
    while (this.receipts.length < count) await new Promise((done) => setTimeout(done, 5));
  }

  async stop() {
    this.running = false;
    await this.ended;
  }
}

async function headsOf(client, enclaves) {
  const heads = await Promise.all(enclaves.map(async ({ id }) =>
    JSON.stringify({ enclave: id, ...await client.sth(id) })));
  return heads.join('\n');
}

function fileOf(text) {
  const file = fresh('heads');
  fs.writeFileSync(file, text);
  return file;
}

const startsNot = async (data) => {
  const daemon = new Daemon({ data });
  await assert.rejects(daemon.start(), /held/);
  assert.equal((await daemon.exited).code, 1);
};

await runSuite(async ({ check }) => {
  const shards = { ENCLAVED_SHARDS: '3' };
  const daemon = await Daemon.start({ env: shards });
  const load = await Load.start(daemon.client);
  const out = fresh();
  let early;
  let restored;

  await check('a backup under load: every shard one moment, listed, secret', async () => {
    await load.until(60);
    early = load.receipts.slice();
    const said = await must('backup', daemon.data, out);
    const after = load.receipts.length;
    await load.until(after + 20);
    assert.equal(said.shards, 3);
    assert.equal(said.node, daemon.client.seqPub);
    const list = listOf(out);
    assert.deepEqual(list.files.map((file) => file.name).sort(), ['held', 'node.key',
      'shard-0/data.mdb', 'shard-1/data.mdb', 'shard-2/data.mdb', 'version']);
    for (const { name, len, sha256: sum } of list.files) {
      assert.equal(fs.statSync(path.join(out, name)).size, len);
      assert.equal(sha256(path.join(out, name)), sum);
      assert.equal(mode(path.join(out, name)), 0o600, name);
    }
    assert.equal(mode(out), 0o700);
    assert.deepEqual(fs.readdirSync(path.dirname(out)), ['out'], 'nothing unfinished is left');
  });
  await check('the node goes on: no receipt is lost, no fence was raised', async () => {
    await load.stop();
    for (const { id } of load.enclaves) await auditNode(daemon.client, id);
    assert.ok(load.receipts.length > early.length + 20);
  });
  await check('what is there is not overwritten; what is no data directory is no backup', async () => {
    await refused(2, /File exists/, 'backup', daemon.data, out);
    await refused(2, /No such file/, 'backup', fresh('none'), fresh());
    await refused(2, /not a data directory/, 'backup', newFolder(), fresh());
    await refused(2, /No such file/, 'backup', daemon.data, fresh('deep/out'));
  });
  await check('--no-key leaves the key out', async () => {
    const bare = fresh();
    await must('backup', daemon.data, bare, '--no-key');
    assert.ok(!fs.existsSync(path.join(bare, 'node.key')));
    const key = path.join(daemon.data, 'node.key');
    await refused(2, /no node\.key/, 'restore', bare, fresh());
    const without = fresh();
    await must('restore', bare, without, '--no-key');
    assert.ok(!fs.existsSync(path.join(without, 'node.key')));
    const withKey = fresh();
    await must('restore', bare, withKey, '--key', key);
    assert.equal(sha256(path.join(withKey, 'node.key')), sha256(key));
    assert.equal(mode(path.join(withKey, 'node.key')), 0o600);
    const other = fresh('key');
    await run('keygen', other);
    await refused(1, /not the key of the node/, 'restore', bare, fresh(), '--key', other);
  });
  await check('restore: sound, complete up to its moment, and held', async () => {
    restored = fresh();
    assert.equal((await must('restore', out, restored)).held, true);
    await must('fsck', restored);
    await startsNot(restored);
  });
  await check('a copy of the backup itself is held, too', async () => {
    const copy = fresh();
    fs.cpSync(out, copy, { recursive: true });
    await startsNot(copy);
  });
  await check('restore refuses what is not empty, and every kind of damage', async () => {
    const full = newFolder();
    fs.writeFileSync(path.join(full, 'x'), '');
    await refused(2, /not empty/, 'restore', out, full);
    assert.deepEqual(fs.readdirSync(full), ['x']);
    await refused(2, /backup\.json/, 'restore', newFolder(), fresh());
    const harm = async (text, change, code = 1) => {
      const copy = fresh();
      fs.cpSync(out, copy, { recursive: true });
      change((name) => path.join(copy, name), listOf(copy));
      const target = fresh();
      await refused(code, text, 'restore', copy, target);
      assert.deepEqual(fs.readdirSync(path.dirname(target)), [], 'nothing is left');
    };
    const relist = (at, list) => fs.writeFileSync(at('backup.json'), JSON.stringify(list));
    await harm(/SHA-256/, (at) => {
      const file = fs.openSync(at('shard-1/data.mdb'), 'r+');
      const byte = Buffer.alloc(1);
      fs.readSync(file, byte, 0, 1, 9000);
      fs.writeSync(file, Buffer.from([byte[0] ^ 1]), 0, 1, 9000);
    });
    await harm(/another length/, (at) => fs.truncateSync(at('shard-0/data.mdb'), 8192));
    await harm(/No such file/, (at) => fs.rmSync(at('shard-2/data.mdb')));
    await harm(/no list of a backup/, (at, list) => relist(at, { ...list, shards: 4 }), 2);
    await harm(/no list of a backup/, (at, list) => relist(at, { ...list,
      files: list.files.filter((file) => file.name !== 'held') }), 2);
    for (const name of ['../../etc/passwd', '/etc/passwd', 'shard-9/data.mdb', 'shard-01/data.mdb',
      'version\u0000', 'x', ''])
      await harm(/no list of a backup/, (at, list) => relist(at, { ...list,
        files: [...list.files, { name, len: 1, sha256: '00'.repeat(32) }] }), 2);
    await harm(/no list of a backup/, (at) => fs.truncateSync(at('backup.json'), 100), 2);
    await harm(/another place|SHA-256/, (at, list) => {
      fs.copyFileSync(at('shard-0/data.mdb'), at('shard-1/data.mdb'));
      const [zero, one] = ['shard-0/data.mdb', 'shard-1/data.mdb'].map((name) =>
        list.files.find((file) => file.name === name));
      Object.assign(one, { len: zero.len, sha256: zero.sha256 });
      relist(at, list);
    });
  });

  await check('accept: heads that others saw must be met', async () => {
    await refused(2, /two histories/, 'accept', restored);
    await refused(2, /not held/, 'accept', daemon.data);
    const later = fileOf(await headsOf(daemon.client, load.enclaves));
    await refused(1, /LOST/, 'accept', restored, '--heads', later);
    const nobody = fileOf('');
    await refused(1, /says nothing/, 'accept', restored, '--heads', nobody);
    await refused(1, /line 1 is no tree head/, 'accept', restored, '--heads', fileOf('{}'));
    await startsNot(restored);
    const unknown = JSON.stringify({ enclave: 'ab'.repeat(32),
      ...await daemon.client.sth(load.enclaves[0].id) });
    await refused(1, /not in this directory/, 'accept', restored, '--heads', fileOf(unknown));
  });
  await check('a backup that nothing was signed after is accepted, and the node goes on', async () => {
    const heads = fileOf(await headsOf(daemon.client, load.enclaves));
    const last = fresh();
    await must('backup', daemon.data, last);
    await daemon.stop();
    const dir = fresh();
    await must('restore', last, dir);
    const said = await must('accept', dir, '--heads', heads);
    assert.equal(said.heads, load.enclaves.length);
    const again = await Daemon.start({ data: dir, env: shards });
    for (const enclave of load.enclaves) {
      await auditNode(again.client, enclave.id);
      enclave.client = again.client;
      await enclave.post(load.author);
    }
    const known = await again.client.info(load.enclaves[0].id);
    assert.ok(known.seq > 0);
    await again.stop();
  });
  await check('--rewind is the operator\'s own word', async () => {
    await must('accept', restored, '--rewind');
    const again = await Daemon.start({ data: restored, env: shards });
    for (const receipt of early) {
      const { events } = (await again.client.query(receipt.enclave,
        { seq: { start_at: receipt.seq, end_at: receipt.seq } })).content;
      assert.equal(events[0].event.id, receipt.id, 'a receipt from before the backup');
    }
    await again.stop();
  });

  await check('a killed backup leaves nothing behind that counts, and the next one works', async () => {
    await daemon.start();
    const target = fresh();
    const child = start(ENCCTL, ['backup', daemon.data, target]);
    setTimeout(() => child.child.kill('SIGKILL'), 3);
    await child.ended;
    await must('backup', daemon.data, fresh());
    await daemon.stop();
  });
  await check('compact: refused beside the node; afterwards the same, in less', async () => {
    await daemon.start();
    await refused(1, /in use by process/, 'compact', daemon.data);
    await daemon.stop();
    const before = await must('fsck', daemon.data);
    const done = await run('compact', daemon.data);
    assert.equal(done.code, 0, done.err);
    assert.ok(done.lines[0].after < done.lines[0].before);
    assert.deepEqual(done.lines.at(-1), before, 'fsck says the same');
    await daemon.start();
    for (const { id } of load.enclaves) await auditNode(daemon.client, id);
    await daemon.stop();
  });
});
