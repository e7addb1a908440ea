// Access-control events: what they need and what they change (protocol.md 5.5).
//
// A world is { rbac, masks: Map(pub -> mask), gates: Map(type -> open) }. Faults are error codes.

import { lifts } from './keys.mjs';
import { parseObject } from './manifest.mjs';
import * as rbac from './rbac.mjs';

const BUNDLE_MAX = 256;

class Fault extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

function need(condition, code) {
  if (!condition) throw new Fault(code);
}

export const maskOf = (world, pub) => world.masks.get(pub) ?? 0n;

function setMask(world, pub, mask) {
  world.masks.set(pub, mask);
}

const bitsOf = (world, roles) =>
  [...roles].reduce((bits, role) => bits | rbac.roleBit(world.rbac, role), 0n);

function target(entry) {
  need(lifts(entry.identity), 'INVALID_CONTENT');
  return entry.identity.toLowerCase();
}

/** Targets of the rows that let actor do this to identity. */
function authorise(world, actor, type, identity) {
  const context = { self: identity === actor, authenticated: true };
  const rows = rbac.permittingRows(world.rbac, maskOf(world, actor), type, 'C', context);
  need(rows.length > 0, 'UNAUTHORIZED');
  return rbac.targetRoles(world.rbac, rows);
}

function needRole(targets, role) {
  need(typeof role === 'string', 'INVALID_CONTENT');
  need(targets.has(role), 'UNAUTHORIZED');
}

function needEndpoint(world, { endpoint, role }) {
  need(typeof endpoint === 'string' && /^https?:\/\//.test(endpoint), 'INVALID_CONTENT');
  need(rbac.carriesPush(world.rbac, role), 'INVALID_CONTENT');
}

function grant(world, actor, entry, type = 'Grant') {
  const pub = target(entry);
  needRole(authorise(world, actor, type, pub), entry.role);
  if (type === 'Grant_Push' || 'endpoint' in entry) needEndpoint(world, entry);
  setMask(world, pub, maskOf(world, pub) | rbac.roleBit(world.rbac, entry.role));
}

function revoke(world, actor, entry) {
  const pub = target(entry);
  needRole(authorise(world, actor, 'Revoke', pub), entry.role);
  const bit = rbac.roleBit(world.rbac, entry.role);
  need(maskOf(world, pub) & bit, 'TARGET_LACKS_ROLE');
  setMask(world, pub, maskOf(world, pub) & ~bit);
}

function move(world, actor, entry) {
  const pub = target(entry);
  const targets = authorise(world, actor, 'Move', pub);
  need('from' in entry && 'to' in entry && entry.from !== entry.to, 'INVALID_CONTENT');
  const named = [entry.from, entry.to].filter((role) => role !== null);
  named.forEach((role) => needRole(targets, role));
  const held = maskOf(world, pub) & bitsOf(world, targets);
  const from = entry.from === null ? 0n : rbac.roleBit(world.rbac, entry.from);
  need(from === 0n ? held === 0n : held & from, 'TARGET_LACKS_ROLE');
  const to = entry.to === null ? 0n : rbac.roleBit(world.rbac, entry.to);
  setMask(world, pub, (maskOf(world, pub) & ~from) | to);
}

function forceMove(world, actor, entry) {
  const pub = target(entry);
  const targets = authorise(world, actor, 'Force_Move', pub);
  need('to' in entry, 'INVALID_CONTENT');
  if (entry.to !== null) needRole(targets, entry.to);
  const to = entry.to === null ? 0n : rbac.roleBit(world.rbac, entry.to);
  setMask(world, pub, (maskOf(world, pub) & ~bitsOf(world, targets)) | to);
}

function transferOwner(world, actor, entry) {
  authorise(world, actor, 'Transfer_Owner', null);
  need(maskOf(world, actor) & rbac.OWNER_BIT, 'UNAUTHORIZED');
  need(lifts(entry.new_owner), 'INVALID_CONTENT');
  const pub = entry.new_owner.toLowerCase();
  need(pub !== actor, 'INVALID_CONTENT');
  setMask(world, actor, maskOf(world, actor) & ~rbac.OWNER_BIT);
  setMask(world, pub, maskOf(world, pub) | rbac.OWNER_BIT);
}

function gate(world, actor, entry) {
  authorise(world, actor, 'Gate', null);
  need(rbac.isContentType(entry.event) && typeof entry.open === 'boolean', 'INVALID_CONTENT');
  world.gates.set(entry.event, entry.open);
}

const BUNDLED = {
  Grant: grant,
  Revoke: revoke,
  Move: move,
  Force_Move: forceMove,
  Transfer_Owner: transferOwner,
};

function bundle(world, actor, { operations }) {
  authorise(world, actor, 'AC_Bundle', null);
  need(Array.isArray(operations), 'INVALID_CONTENT');
  need(operations.length >= 1 && operations.length <= BUNDLE_MAX, 'INVALID_CONTENT');
  for (const entry of operations) {
    need(Object.hasOwn(BUNDLED, entry?.type), 'INVALID_CONTENT');
    BUNDLED[entry.type](world, actor, entry);
  }
}

const EFFECTS = {
  ...BUNDLED,
  Grant_Push: (world, actor, entry) => grant(world, actor, entry, 'Grant_Push'),
  Gate: gate,
  AC_Bundle: bundle,
};

export const isAc = (type) => Object.hasOwn(EFFECTS, type);

/** { world } after the commit, or { code }; the given world is not touched. */
export function acOutcome(world, { from, type, content }) {
  const scratch = { ...world, masks: new Map(world.masks), gates: new Map(world.gates) };
  try {
    const entry = parseObject(content);
    need(entry, 'INVALID_CONTENT');
    EFFECTS[type](scratch, from, entry);
    return { world: scratch };
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return { code: fault.code };
  }
}
