// A forum enclave with a short history, and commits that every node and replayer must refuse on it.

import { refersTo } from './fixtures.mjs';
import { keyOfSeed } from './keys.mjs';

export const [owner, admin, member, blocked, nobody] =
  ['owner', 'admin', 'member', 'blocked', 'nobody'].map((name) => keyOfSeed(`enc-test-${name}`));

/** initial_state beside the Owner. */
export const ROLES = { Admin: [admin.pub], Member: [member.pub], Blocked: [blocked.pub] };

/* name, who, type, content, the name of the event it refers to */
export const SCRIPT = [
  ['post', member, 'Post', 'a post'],
  ['deleted', member, 'Post', 'gone'],
  ['delete', member, 'Delete', '', 'deleted'],
  ['grant', owner, 'Grant', { identity: nobody.pub, role: 'Bell' }],
  ['gate', owner, 'Gate', { event: 'Note', open: false }],
  ['last', member, 'Post', 'the last'],
];

/** What a row says after its content: nothing, tags, or the name of the event it refers to. */
export const tagsOf = (more, ids) => (typeof more === 'string' ? refersTo(ids[more]) : more);

/* name, code, who, type, content, more */
export const REFUSALS = [
  ['a content type without a row', 'UNAUTHORIZED', member, 'Unknown', ''],
  ['a member writing a Secret', 'UNAUTHORIZED', member, 'Secret', ''],
  ['a deny row', 'UNAUTHORIZED', blocked, 'Post', ''],
  ['a closed gate', 'GATE_CLOSED', member, 'Note', ''],
  ['reserved types', 'INVALID_COMMIT', owner, 'Shared', ''],
  ['an Update without r', 'INVALID_COMMIT', member, 'Update', ''],
  ['an Update of nothing', 'EVENT_NOT_FOUND', member, 'Update', '', refersTo('00'.repeat(32))],
  ['an Update of a Grant', 'INVALID_CONTENT', owner, 'Update', '', 'grant'],
  ['an Update by another', 'UNAUTHORIZED', owner, 'Update', '', 'post'],
  ['an Update of a deleted event', 'ALREADY_DELETED', member, 'Update', '', 'deleted'],
  ['a Delete of a deleted event', 'ALREADY_DELETED', admin, 'Delete', '', 'deleted'],
  ['a Delete that is no JSON', 'INVALID_CONTENT', admin, 'Delete', 'spam', 'post'],
  ['a Grant beyond target_roles', 'UNAUTHORIZED', admin, 'Grant',
    { identity: nobody.pub, role: 'Admin' }],
  ['a Grant of Owner', 'UNAUTHORIZED', owner, 'Grant', { identity: nobody.pub, role: 'Owner' }],
  ['a Grant to no key', 'INVALID_CONTENT', owner, 'Grant', { identity: '00', role: 'Member' }],
  ['an endpoint for a role without P or N', 'INVALID_CONTENT', owner, 'Grant',
    { identity: nobody.pub, role: 'Member', endpoint: 'https://example.org/' }],
  ['a Revoke of what is not held', 'TARGET_LACKS_ROLE', owner, 'Revoke',
    { identity: nobody.pub, role: 'Member' }],
  ['a Revoke of somebody else by Self', 'UNAUTHORIZED', member, 'Revoke',
    { identity: nobody.pub, role: 'Member' }],
  ['a Move from what is not held', 'TARGET_LACKS_ROLE', admin, 'Move',
    { identity: blocked.pub, from: 'Member', to: 'Blocked' }],
  ['a Move from null of a holder', 'TARGET_LACKS_ROLE', admin, 'Move',
    { identity: blocked.pub, from: null, to: 'Member' }],
  ['a Move to the same', 'INVALID_CONTENT', admin, 'Move',
    { identity: blocked.pub, from: 'Blocked', to: 'Blocked' }],
  ['a Force_Move without to', 'INVALID_CONTENT', owner, 'Force_Move', { identity: blocked.pub }],
  ['a Transfer_Owner to oneself', 'INVALID_CONTENT', owner, 'Transfer_Owner',
    { new_owner: owner.pub }],
  ['a Transfer_Owner by another', 'UNAUTHORIZED', admin, 'Transfer_Owner',
    { new_owner: nobody.pub }],
  ['a Gate on a predefined type', 'INVALID_CONTENT', owner, 'Gate', { event: 'Grant', open: true }],
  ['an AC_Bundle with one bad entry', 'TARGET_LACKS_ROLE', owner, 'AC_Bundle', { operations: [
    { type: 'Grant', identity: nobody.pub, role: 'Member' },
    { type: 'Revoke', identity: nobody.pub, role: 'Sink' }] }],
  ['an AC_Bundle after its actor gave up', 'UNAUTHORIZED', owner, 'AC_Bundle', { operations: [
    { type: 'Transfer_Owner', new_owner: nobody.pub },
    { type: 'Grant', identity: nobody.pub, role: 'Member' }] }],
  ['an empty AC_Bundle', 'INVALID_CONTENT', owner, 'AC_Bundle', { operations: [] }],
  ['an AC_Bundle in an AC_Bundle', 'INVALID_CONTENT', owner, 'AC_Bundle',
    { operations: [{ type: 'AC_Bundle', operations: [] }] }],
  ['a Resume while active', 'INVALID_COMMIT', owner, 'Resume', ''],
  ['a Terminate by a member', 'UNAUTHORIZED', member, 'Terminate', ''],
  ['a Terminate with a list', 'INVALID_CONTENT', owner, 'Terminate', '[]'],
  ['a Migrate with a wrong root', 'INVALID_CONTENT', owner, 'Migrate',
    { new_sequencer: nobody.pub, prev_seq: 6, ct_root: '00'.repeat(32) }],
];
