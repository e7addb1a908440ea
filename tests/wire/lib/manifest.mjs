// What a Manifest's content must be (protocol.md 4.2).

import { lifts } from './keys.mjs';
import { isType, roleBit } from './rbac.mjs';

const ROLE_NAME = /^[A-Z][A-Za-z0-9_]{0,31}$/;
const RESERVED = new Set(['Self', 'Sender', 'Owner', 'Any', 'Public', 'OUTSIDER', '*']);
const OP = /^_?[CRUDPN]$/;
const GRANT_LIKE = new Set(['Grant', 'Grant_Push', 'Revoke', 'Move', 'Force_Move']);
const MAX = { roles: 224, rows: 4096, identities: 4096, size: 65_536, timeout: 86_400_000 };

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

const isList = (value, max) => Array.isArray(value) && value.length <= max;

const inRange = (value, min, max) => Number.isInteger(value) && value >= min && value <= max;

function rolesOk(roles) {
  if (!isList(roles, MAX.roles) || new Set(roles).size !== roles.length) return false;
  return roles.every((name) => typeof name === 'string' && ROLE_NAME.test(name) &&
    !RESERVED.has(name));
}

function rowOk(rbac, row) {
  if (!isObject(row) || !(row.event === '*' || isType(row.event))) return false;
  if (!RESERVED.has(row.role) && !rbac.roles.includes(row.role)) return false;
  if (!Array.isArray(row.ops) || !row.ops.every((op) => OP.test(op))) return false;
  return row.target_roles === undefined || targetsOk(rbac, row);
}

function targetsOk(rbac, { event, target_roles: targets }) {
  if (!GRANT_LIKE.has(event) || !Array.isArray(targets)) return false;
  return targets.every((role) => roleBit(rbac, role) !== null);
}

function initialOk(rbac, initial) {
  if (!isObject(initial) || !(initial.Owner?.length > 0)) return false;
  const entries = Object.entries(initial);
  if (!entries.every(([role, list]) => roleBit(rbac, role) !== null && Array.isArray(list))) {
    return false;
  }
  const identities = entries.flatMap(([, list]) => list);
  return identities.length <= MAX.identities && identities.every(lifts);
}

function bundleOk(bundle) {
  if (bundle === undefined) return true;
  if (!isObject(bundle)) return false;
  const { size = 256, timeout = 5000 } = bundle;
  return inRange(size, 1, MAX.size) && inRange(timeout, 0, MAX.timeout);
}

function rbacOk(rbac) {
  if (!isObject(rbac) || !rolesOk(rbac.roles) || !isList(rbac.schema, MAX.rows)) return false;
  return rbac.schema.every((row) => rowOk(rbac, row)) && initialOk(rbac, rbac.initial_state);
}

export function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** { rbac, bundle, initial: [[pub, mask]] } or null when it is not a valid Manifest of enc_v 1. */
export function parseManifest(content, seqPub) {
  const manifest = parseObject(content);
  if (manifest?.enc_v !== 1 || !rbacOk(manifest.RBAC) || !bundleOk(manifest.bundle)) return null;
  if ((manifest.sequencer ?? seqPub) !== seqPub) return null;
  const { size = 256, timeout = 5000 } = manifest.bundle ?? {};
  return { rbac: manifest.RBAC, bundle: { size, timeout }, initial: initialMasks(manifest.RBAC) };
}

function initialMasks(rbac) {
  const masks = new Map();
  for (const [role, list] of Object.entries(rbac.initial_state)) {
    for (const name of list) {
      const pub = name.toLowerCase();
      masks.set(pub, (masks.get(pub) ?? 0n) | roleBit(rbac, role));
    }
  }
  return [...masks];
}
