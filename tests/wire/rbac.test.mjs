#!/usr/bin/env node
// Rights, access-control events, gates, updates and deletes on enc-node (protocol.md 5, 4.3).

import assert from 'node:assert/strict';
import { runSuite } from './lib/check.mjs';
import { assertError, assertOk } from './lib/errors.mjs';
import { Enclave, FORUM_SCHEMA, forum, refersTo } from './lib/fixtures.mjs';
import { newKey } from './lib/keys.mjs';
import { Daemon } from './lib/process.mjs';
import * as scene from './lib/scene.mjs';
import { RBAC, Smt, smtKey, verifySmt } from './lib/smt.mjs';

const BITS = { Owner: 1, Admin: 32, Member: 33, Blocked: 34, Sink: 35, Bell: 36 };
const NOT_ON_CURVE = `${'00'.repeat(31)}05`;
const UNKNOWN = 'ab'.repeat(32);

function maskOf(...roles) {
  if (roles.length === 0) return null;
  const mask = roles.reduce((sum, role) => sum | (1n << BigInt(BITS[role])), 0n);
  return mask.toString(16).padStart(64, '0');
}

/** A Manifest with the rows of the forum and these before them. */
const withRows = (...rows) => (owner, options) => {
  const manifest = forum(owner, options);
  return { ...manifest, RBAC: { ...manifest.RBAC, schema: [...rows, ...FORUM_SCHEMA] } };
};

await runSuite(async ({ check }) => {
  const daemon = await Daemon.start();
  const { client } = daemon;
  const create = (content, options) => Enclave.create(client, content, options);

  async function roleValue(enclave, pub) {
    const answer = await client.prove('state', enclave.id, { namespace: 'rbac', key: pub },
      { as: enclave.owner });
    assert.ok(verifySmt(assertOk(answer).content, answer.content.state_hash));
    return answer.content.v;
  }

  async function statusOf(enclave, id) {
    const filter = { id, status: ['active', 'updated', 'deleted'] };
    const { events } = (await client.query(enclave.id, filter, { as: enclave.owner })).content;
    return events[0];
  }

  const base = await create(forum, { owner: scene.owner, initial: scene.ROLES });
  const ids = {};
  await check('the scene: posts, a Delete, a Grant, a closed Gate', async () => {
    for (const [name, key, type, content, more] of scene.SCRIPT) {
      ids[name] = (await base.add(key, type, content, scene.tagsOf(more, ids))).id;
    }
  });
  for (const [name, code, key, type, content, more] of scene.REFUSALS) {
    await check(`${code}: ${name}`, async () => {
      assertError(await base.tryAdd(key, type, content, scene.tagsOf(more, ids)), code);
    });
  }
  await check('a refusal changes nothing', async () => {
    const before = await client.info(base.id);
    assertError(await base.tryAdd(scene.nobody, 'Post', 'x'), 'UNAUTHORIZED');
    assert.deepEqual(await client.info(base.id), before);
  });

  await check('5.7 leaves: Owner is bit 1, roles start at bit 32', async () => {
    const { owner, admin, member, nobody } = scene;
    const values = [];
    for (const { pub } of [owner, admin, member, nobody]) values.push(await roleValue(base, pub));
    assert.deepEqual(values, [maskOf('Owner'), maskOf('Admin'), maskOf('Member'), maskOf('Bell')]);
  });
  await check('5.2 224 roles: the last one is bit 255', async () => {
    const roles = Array.from({ length: 224 }, (_, i) => `R${i}`);
    const schema = [{ event: 'Post', role: 'R223', ops: ['C'] },
      { event: 'Grant', role: 'Owner', ops: ['C'] }, { event: '*', role: 'Owner', ops: ['R'] }];
    const enclave = await create((key) => ({ ...forum(key),
      RBAC: { roles, schema, initial_state: { Owner: [key.pub] } } }));
    const key = await enclave.newHolder('R223');
    assert.equal(await roleValue(enclave, key.pub), `80${'00'.repeat(31)}`);
    await enclave.post(key);
    await enclave.grant(key, 'R0');
    assert.equal(await roleValue(enclave, key.pub), `80${'00'.repeat(26)}0100000000`);
    assertError(await enclave.tryAdd(await enclave.newHolder('R222'), 'Post', 'x'), 'UNAUTHORIZED');
  });
  await check('4.2 a Manifest with 1,200 identities leads to the same root', async () => {
    const identities = Array.from({ length: 1200 }, () => newKey().pub);
    const enclave = await create(forum, { initial: { Member: identities } });
    const tree = new Smt();
    tree.set(smtKey(RBAC, enclave.owner.pub), maskOf('Owner'));
    identities.forEach((pub) => tree.set(smtKey(RBAC, pub), maskOf('Member')));
    assert.equal((await client.info(enclave.id)).state_hash, tree.root);
  });
  await check('5.5 Grant and Revoke set and clear one bit, no role is no leaf', async () => {
    const enclave = await create();
    const key = await enclave.newHolder('Member');
    await enclave.grant(key, 'Admin');
    await enclave.grant(key, 'Admin');
    assert.equal(await roleValue(enclave, key.pub), maskOf('Member', 'Admin'));
    await enclave.add(enclave.owner, 'Revoke', { identity: key.pub, role: 'Admin' });
    assert.equal(await roleValue(enclave, key.pub), maskOf('Member'));
    await enclave.add(key, 'Revoke', { identity: key.pub, role: 'Member' });
    assert.equal(await roleValue(enclave, key.pub), null);
  });
  await check('5.5 an identity in upper case is the same identity', async () => {
    const enclave = await create();
    const key = newKey();
    await enclave.add(enclave.owner, 'Grant',
      { identity: key.pub.toUpperCase(), role: 'Member' });
    assert.equal(await roleValue(enclave, key.pub), maskOf('Member'));
    await enclave.post(key);
  });
  await check('5.5 Move takes one role and gives another, null is none', async () => {
    const enclave = await create();
    const [admin, key] = [await enclave.newHolder('Admin'), newKey()];
    const move = (from, to) => enclave.tryAdd(admin, 'Move', { identity: key.pub, from, to });
    assertOk(await move(null, 'Member'));
    assertError(await move(null, 'Blocked'), 'TARGET_LACKS_ROLE');
    assertOk(await move('Member', 'Blocked'));
    assert.equal(await roleValue(enclave, key.pub), maskOf('Blocked'));
    assertError(await move('Member', null), 'TARGET_LACKS_ROLE');
    assertOk(await move('Blocked', null));
    assert.equal(await roleValue(enclave, key.pub), null);
  });
  await check('5.5 Force_Move clears the targets, not the rest', async () => {
    const enclave = await create();
    const key = await enclave.newHolder('Member');
    await enclave.grant(key, 'Sink');
    await enclave.add(enclave.owner, 'Force_Move', { identity: key.pub, to: 'Blocked' });
    assert.equal(await roleValue(enclave, key.pub), maskOf('Blocked', 'Sink'));
    await enclave.add(enclave.owner, 'Force_Move', { identity: key.pub, to: null });
    assert.equal(await roleValue(enclave, key.pub), maskOf('Sink'));
    await enclave.add(enclave.owner, 'Force_Move', { identity: enclave.owner.pub, to: 'Admin' });
    assert.equal(await roleValue(enclave, enclave.owner.pub), maskOf('Owner', 'Admin'));
  });
  await check('5.5 Transfer_Owner moves bit 1 and its rights', async () => {
    const enclave = await create();
    const heir = await enclave.newHolder('Member');
    await enclave.add(enclave.owner, 'Transfer_Owner', { new_owner: heir.pub });
    const old = enclave.owner;
    enclave.owner = heir;
    assert.equal(await roleValue(enclave, heir.pub), maskOf('Owner', 'Member'));
    assert.equal(await roleValue(enclave, old.pub), null);
    assertError(await enclave.tryAdd(old, 'Pause'), 'UNAUTHORIZED');
    await enclave.add(heir, 'Pause');
  });
  await check('24 Transfer_Owner to what is no key is INVALID_CONTENT', async () => {
    for (const owner of [NOT_ON_CURVE, 'x', '', 1, null, undefined]) {
      const answer = await base.tryAdd(scene.owner, 'Transfer_Owner', { new_owner: owner });
      assertError(answer, 'INVALID_CONTENT');
    }
  });

  const unparsable = ['', 'x', '[]', 'null', '1', '{'];
  await check('4.3 content that is no object is INVALID_CONTENT', async () => {
    for (const type of ['Grant', 'Revoke', 'Force_Move', 'Transfer_Owner', 'Gate', 'AC_Bundle']) {
      for (const text of unparsable) {
        assertError(await base.tryAdd(scene.owner, type, text), 'INVALID_CONTENT');
      }
    }
  });
  await check('22 Owner as role is UNAUTHORIZED', async () => {
    const identity = newKey().pub;
    const tries = [['Grant', { role: 'Owner' }], ['Revoke', { role: 'Owner' }],
      ['Force_Move', { to: 'Owner' }],
      ['Grant_Push', { role: 'Owner', endpoint: 'https://example.org/' }]];
    for (const [type, content] of tries) {
      const answer = await base.tryAdd(scene.owner, type, { identity, ...content });
      assertError(answer, 'UNAUTHORIZED');
    }
    for (const content of [{ from: 'Owner', to: 'Member' }, { from: 'Member', to: 'Owner' }]) {
      const answer = await base.tryAdd(scene.admin, 'Move', { identity, ...content });
      assertError(answer, 'UNAUTHORIZED');
    }
  });
  await check('22 target_roles that name Owner do not change that', async () => {
    const enclave = await create(withRows({ event: 'Grant', role: 'Owner', ops: ['C'],
      target_roles: ['Owner'] }));
    const identity = newKey().pub;
    assertError(await enclave.tryAdd(enclave.owner, 'Grant', { identity, role: 'Owner' }),
      'UNAUTHORIZED');
  });
  await check('23 a role outside the targets is UNAUTHORIZED, one that is no string is not',
    async () => {
      const identity = newKey().pub;
      for (const role of ['Blocked', 'Nothing', '', 'Self']) {
        const answer = await base.tryAdd(scene.owner, 'Grant', { identity, role });
        assertError(answer, 'UNAUTHORIZED');
      }
      for (const role of [1, null, undefined, ['Member']]) {
        const answer = await base.tryAdd(scene.owner, 'Grant', { identity, role });
        assertError(answer, 'INVALID_CONTENT');
      }
    });
  await check('25 an identity that does not lift is INVALID_CONTENT', async () => {
    for (const identity of [NOT_ON_CURVE, 'x', '', 1, null, undefined, UNKNOWN.slice(2)]) {
      const answer = await base.tryAdd(scene.owner, 'Grant', { identity, role: 'Member' });
      assertError(answer, 'INVALID_CONTENT');
    }
  });
  await check('26, 81 Move: from = to and missing members are INVALID_CONTENT', async () => {
    const identity = newKey().pub;
    for (const content of [{ from: 'Member', to: 'Member' }, { from: null, to: null },
      { from: 'Member' }, { to: 'Member' }, {}, { from: 1, to: 'Member' },
      { from: 'Owner', to: 'Owner' }]) {
      const answer = await base.tryAdd(scene.admin, 'Move', { identity, ...content });
      assertError(answer, 'INVALID_CONTENT');
    }
  });
  await check('79 who has no right is UNAUTHORIZED whatever the content', async () => {
    for (const [type, content] of [['Gate', 'x'], ['AC_Bundle', '[]'], ['Transfer_Owner', ''],
      ['Grant', { identity: scene.owner.pub, role: 1 }],
      ['Force_Move', { identity: scene.owner.pub }]]) {
      assertError(await base.tryAdd(scene.nobody, type, content), 'UNAUTHORIZED');
    }
  });

  await check('5.4 a deny beats every grant', async () => {
    const enclave = await create(withRows({ event: 'Post', role: 'Admin', ops: ['_C'] }));
    const both = await enclave.newHolder('Member');
    await enclave.post(both);
    await enclave.grant(both, 'Admin');
    assertError(await enclave.tryAdd(both, 'Post', 'x'), 'UNAUTHORIZED');
  });
  await check('5.4 * gives C, U and D on content types, never on predefined ones', async () => {
    const enclave = await create(withRows({ event: '*', role: 'Member', ops: ['C', 'U', 'D'] }));
    const member = await enclave.newHolder('Member');
    const post = await enclave.add(enclave.owner, 'Secret', 'theirs');
    assertOk(await enclave.tryAdd(member, 'Anything', '18 * names every content type'));
    assertOk(await enclave.tryAdd(member, 'Update', 'mine', refersTo(post.id)));
    for (const type of ['Pause', 'Terminate', 'AC_Bundle', 'Gate']) {
      assertError(await enclave.tryAdd(member, type, '{}'), 'UNAUTHORIZED');
    }
    const identity = member.pub;
    assertError(await enclave.tryAdd(member, 'Grant', { identity, role: 'Admin' }), 'UNAUTHORIZED');
  });
  await check('5.5 without target_roles all custom roles are targets', async () => {
    const enclave = await create(withRows({ event: 'Grant', role: 'Bell', ops: ['C'] }));
    const bell = await enclave.newHolder('Bell');
    for (const role of ['Admin', 'Blocked', 'Sink']) {
      assertOk(await enclave.tryAdd(bell, 'Grant', { identity: newKey().pub, role }));
    }
  });
  await check('5.3 Self is false when content is created', async () => {
    const enclave = await create(withRows({ event: 'Mine', role: 'Self', ops: ['C'] }));
    assertError(await enclave.tryAdd(enclave.owner, 'Mine', 'x'), 'UNAUTHORIZED');
  });

  await check('20 AC_Bundle needs C on itself and on each entry', async () => {
    const rows = [{ event: 'AC_Bundle', role: 'Admin', ops: ['C'] }];
    const enclave = await create(withRows(...rows));
    const [admin, member] = [await enclave.newHolder('Admin'), newKey()];
    const entry = (type, more) => ({ type, identity: member.pub, ...more });
    const grant = entry('Grant', { role: 'Member' });
    assertError(await enclave.tryAdd(newKey(), 'AC_Bundle', { operations: [grant] }),
      'UNAUTHORIZED');
    assertOk(await enclave.tryAdd(admin, 'AC_Bundle', { operations: [grant] }));
    const tooMuch = { operations: [grant, entry('Grant', { role: 'Admin' })] };
    assertError(await enclave.tryAdd(admin, 'AC_Bundle', tooMuch), 'UNAUTHORIZED');
    assert.equal(await roleValue(enclave, member.pub), maskOf('Member'));
  });
  await check('5.5 AC_Bundle: entries see the entries before them, all or nothing', async () => {
    const enclave = await create();
    const [heir, key] = [newKey(), newKey()];
    const give = { type: 'Grant', identity: key.pub, role: 'Member' };
    const take = { type: 'Revoke', identity: key.pub, role: 'Member' };
    const pass = { type: 'Transfer_Owner', new_owner: heir.pub };
    const bundle = (...operations) => enclave.tryAdd(enclave.owner, 'AC_Bundle', { operations });
    assertError(await bundle(give, take, take), 'TARGET_LACKS_ROLE');
    assertError(await bundle(pass, give), 'UNAUTHORIZED');
    assert.equal(await roleValue(enclave, key.pub), null);
    assertOk(await bundle(give, take, give, pass));
    enclave.owner = heir;
    assert.equal(await roleValue(enclave, key.pub), maskOf('Member'));
  });
  await check('21 a refused AC_Bundle carries the code of its first failing entry', async () => {
    const identity = newKey().pub;
    const lacks = { type: 'Revoke', identity, role: 'Member' };
    const denied = { type: 'Grant', identity, role: 'Owner' };
    const broken = { type: 'Grant', identity: 'x', role: 'Member' };
    for (const [code, ...operations] of [['TARGET_LACKS_ROLE', lacks, denied],
      ['UNAUTHORIZED', denied, lacks], ['INVALID_CONTENT', broken, lacks],
      ['TARGET_LACKS_ROLE', lacks, broken]]) {
      assertError(await base.tryAdd(scene.owner, 'AC_Bundle', { operations }), code);
    }
  });
  await check('5.5 AC_Bundle: 1 to 256 entries of the five types', async () => {
    const grant = { type: 'Grant', identity: newKey().pub, role: 'Member' };
    const bundle = (operations) => base.tryAdd(scene.owner, 'AC_Bundle', { operations });
    assertOk(await bundle(Array(256).fill(grant)));
    for (const operations of [[], Array(257).fill(grant), undefined, {}, [1], [null], [{}],
      [{ ...grant, type: 'Gate', event: 'Post', open: false }], [{ ...grant, type: 'Post' }],
      [{ ...grant, type: 'Grant_Push', endpoint: 'https://example.org/' }]]) {
      assertError(await bundle(operations), 'INVALID_CONTENT');
    }
  });

  await check('27, 28 Gate shuts C for all but the Owner, after RBAC', async () => {
    const enclave = await create();
    const member = await enclave.newHolder('Member');
    const post = await enclave.post(member);
    await enclave.add(enclave.owner, 'Gate', { event: 'Post', open: false });
    assertError(await enclave.tryAdd(member, 'Post', 'x'), 'GATE_CLOSED');
    assertError(await enclave.tryAdd(newKey(), 'Post', 'x'), 'UNAUTHORIZED');
    assertOk(await enclave.tryAdd(enclave.owner, 'Post', 'by the Owner'));
    assertOk(await enclave.tryAdd(member, 'Update', 'U is not shut', refersTo(post.id)));
    assertOk(await enclave.tryAdd(member, 'Note', 'another type'));
    assert.equal((await client.query(enclave.id, {}, { as: member })).content.events.length > 0,
      true);
    await enclave.add(enclave.owner, 'Gate', { event: 'Post', open: true });
    await enclave.post(member);
  });
  await check('27, 95 Gate names one content type, which no row needs to name', async () => {
    const gate = (content) => base.tryAdd(scene.owner, 'Gate', content);
    for (const event of ['*', 'Grant', 'Update', '', 'a b', 1, null, undefined, ['Post']]) {
      assertError(await gate({ event, open: true }), 'INVALID_CONTENT');
    }
    for (const open of ['false', 0, null, undefined]) {
      assertError(await gate({ event: 'Post', open }), 'INVALID_CONTENT');
    }
    assertOk(await gate({ event: 'Nobody.names:this', open: false }));
  });

  await check('4.3 Update and Delete change the status of their target', async () => {
    const enclave = await create();
    const member = await enclave.newHolder('Member');
    const post = await enclave.post(member);
    assert.equal((await statusOf(enclave, post.id)).status, 'active');
    const first = await enclave.add(member, 'Update', 'one', refersTo(post.id));
    const second = await enclave.add(member, 'Update', 'two', refersTo(post.id));
    const updated = await statusOf(enclave, post.id);
    assert.deepEqual([updated.status, updated.updated_by], ['updated', second.id]);
    await enclave.add(enclave.owner, 'Grant', { identity: member.pub, role: 'Admin' });
    await enclave.add(member, 'Delete', { reason: 'author', note: 'bye' }, refersTo(post.id));
    const deleted = await statusOf(enclave, post.id);
    assert.deepEqual([deleted.status, deleted.event.content], ['deleted', null]);
    const update = await statusOf(enclave, first.id);
    assert.deepEqual([update.status, update.event.content], ['active', null], '40');
  });
  await check('6 status leaves: id of the last Update, one zero byte when deleted', async () => {
    const enclave = await create();
    const post = await enclave.post(enclave.owner);
    const value = async () => assertOk(await client.prove('state', enclave.id,
      { namespace: 'event_status', key: post.id }, { as: enclave.owner })).content.v;
    assert.equal(await value(), null);
    const update = await enclave.add(enclave.owner, 'Update', 'x', refersTo(post.id));
    assert.equal(await value(), update.id);
    await enclave.add(enclave.owner, 'Delete', '', refersTo(post.id));
    assert.equal(await value(), '00');
  });
  await check('2.4 the first r tag is the target', async () => {
    const enclave = await create();
    const [one, two] = [await enclave.post(enclave.owner), await enclave.post(enclave.owner)];
    const tags = [['x', 'y'], ['r', one.id.toUpperCase()], ['r', two.id]];
    await enclave.add(enclave.owner, 'Delete', '', { tags });
    assert.equal((await statusOf(enclave, one.id)).status, 'deleted');
    assert.equal((await statusOf(enclave, two.id)).status, 'active');
  });
  await check('12 a missing or malformed r is INVALID_COMMIT', async () => {
    for (const tags of [[], [['x', ids.post]], [['r']], [['r', 'x']], [['r', ids.post.slice(2)]],
      [['r', 'x'], ['r', ids.post]]]) {
      for (const type of ['Update', 'Delete']) {
        assertError(await base.tryAdd(scene.member, type, '', { tags }), 'INVALID_COMMIT');
      }
    }
  });
  await check('13 order: EVENT_NOT_FOUND, predefined, RBAC, ALREADY_DELETED', async () => {
    const { nobody, admin } = scene;
    const edit = (key, id) => base.tryAdd(key, 'Delete', '', refersTo(id));
    assertError(await edit(nobody, UNKNOWN), 'EVENT_NOT_FOUND');
    assertError(await edit(nobody, ids.grant), 'INVALID_CONTENT');
    assertError(await edit(nobody, ids.deleted), 'UNAUTHORIZED');
    assertError(await edit(admin, ids.deleted), 'ALREADY_DELETED');
  });
  await check('4.3 the target is of the same enclave', async () => {
    const enclave = await create();
    const post = await enclave.post(enclave.owner);
    const answer = await base.tryAdd(scene.owner, 'Delete', '', refersTo(post.id));
    assertError(answer, 'EVENT_NOT_FOUND');
  });
  await check('33 an endpoint for a role without P or N is INVALID_CONTENT', async () => {
    const content = { identity: newKey().pub, role: 'Member', endpoint: 'https://example.org/' };
    assertError(await base.tryAdd(scene.owner, 'Grant', content), 'INVALID_CONTENT');
  });
  assert.equal((await daemon.stop()).code, 0);
});
