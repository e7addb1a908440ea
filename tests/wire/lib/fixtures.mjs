// Manifests, keys and enclaves that many tests share.

import { makeCommit, makeManifest, nonce } from './commit.mjs';
import { newKey } from './keys.mjs';

const ROLES = ['Admin', 'Member', 'Blocked', 'Sink', 'Bell'];
const CUSTOM = ['Admin', 'Member', 'Blocked'];

const row = (event, role, ops, targets) =>
  targets ? { event, role, ops, target_roles: targets } : { event, role, ops };

const ownerRows = ['Pause', 'Resume', 'Terminate', 'Migrate', 'Transfer_Owner', 'Gate',
  'AC_Bundle'].map((type) => row(type, 'Owner', ['C']));

/** Content by members, open notes, moderation, pushes: every kind of rule at least once. */
export const FORUM_SCHEMA = [
  row('Post', 'Owner', ['C']),
  row('Post', 'Member', ['C', 'R']),
  row('Post', 'Self', ['U', 'D']),
  row('Post', 'Admin', ['D']),
  row('Post', 'Blocked', ['_C', '_R', '_U', '_D']),
  row('Note', 'Any', ['C']),
  row('Note', 'Public', ['R']),
  row('Note', 'Sender', ['U', 'D']),
  row('Secret', 'Owner', ['C']),
  row('*', 'Owner', ['R']),
  row('*', 'Admin', ['R']),
  row('*', 'Self', ['R']),
  row('Grant', 'Owner', ['C'], ['Admin', 'Member', 'Sink', 'Bell']),
  row('Grant', 'Admin', ['C'], ['Member']),
  row('Grant_Push', 'Owner', ['C'], ['Sink', 'Bell']),
  row('Revoke', 'Owner', ['C'], ['Admin', 'Member', 'Sink', 'Bell']),
  row('Revoke', 'Self', ['C'], ['Member']),
  row('Move', 'Admin', ['C'], ['Member', 'Blocked']),
  row('Force_Move', 'Owner', ['C'], CUSTOM),
  row('*', 'Sink', ['P']),
  row('Post', 'Bell', ['N']),
  ...ownerRows,
];

/** Manifest content; more replaces members, initial adds roles beside Owner. */
export function forum(owner, { initial = {}, bundle = { size: 4, timeout: 0 }, ...more } = {}) {
  const RBAC = { roles: ROLES, schema: FORUM_SCHEMA,
    initial_state: { Owner: [owner.pub], ...initial } };
  return { enc_v: 1, RBAC, bundle, meta: { nonce: nonce() }, ...more };
}

/** A small Manifest: Post by everybody who is somebody, read by all. */
export function wall(owner, { bundle = { size: 4, timeout: 0 } } = {}) {
  const schema = [row('Post', 'Any', ['C']), row('*', 'Public', ['R']),
    row('Post', 'Self', ['U', 'D']), row('Terminate', 'Owner', ['C'])];
  const RBAC = { roles: [], schema, initial_state: { Owner: [owner.pub] } };
  return { enc_v: 1, RBAC, bundle, meta: { nonce: nonce() } };
}

/** Members read Posts, write them and see each other come and go; nobody else reads anything. */
export function club(owner, options) {
  const schema = [row('Post', 'Member', ['C', 'R']), row('Post', 'Owner', ['C', 'R']),
    row('Grant', 'Member', ['R']), row('Grant', 'Owner', ['C']),
    row('Revoke', 'Member', ['R']), row('Revoke', 'Owner', ['C'])];
  const RBAC = { roles: ['Member'], schema, initial_state: { Owner: [owner.pub] } };
  return { ...forum(owner, options), RBAC };
}

/** An enclave on a node: { id, owner, manifest, receipt } with shorthands for its commits. */
export class Enclave {
  static async create(client, content = forum, options = {}) {
    const owner = options.owner ?? newKey();
    const manifest = makeManifest(owner, content(owner, options));
    const receipt = await client.accept(manifest);
    return Object.assign(new Enclave(), { client, owner, manifest, receipt, id: manifest.enclave });
  }

  make(key, type, content, more) {
    return makeCommit(key, this.id, type, content, more);
  }

  /** Commit that must be accepted; the Receipt. */
  add(key, type, content, more) {
    return this.client.accept(this.make(key, type, content, more));
  }

  /** Commit that may be refused; the answer. */
  tryAdd(key, type, content, more) {
    return this.client.commit(this.make(key, type, content, more));
  }

  grant(key, role, more = {}) {
    return this.add(this.owner, 'Grant', { identity: key.pub, role, ...more });
  }

  /** A new key with this role. */
  async newHolder(role) {
    const key = newKey();
    await this.grant(key, role);
    return key;
  }

  post(key, text = nonce(), more) {
    return this.add(key, 'Post', text, more);
  }
}

export const refersTo = (id) => ({ tags: [['r', id]] });
