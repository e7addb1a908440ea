// Role bitmasks, schema rows and permits() (protocol.md 5).

import { bigEndian, toHex } from './bytes.mjs';

export const OWNER_BIT = 1n << 1n;
const FIRST_ROLE_BIT = 32;

export const PREDEFINED = new Set(['Manifest', 'Update', 'Delete', 'Pause', 'Resume', 'Terminate',
  'Migrate', 'Grant', 'Grant_Push', 'Revoke', 'Move', 'Force_Move', 'Transfer_Owner', 'Gate',
  'AC_Bundle', 'Shared', 'Own', 'Transfer']);

export const RESERVED_TYPES = new Set(['Shared', 'Own', 'Transfer']);

const TYPE = /^[A-Za-z][A-Za-z0-9_.:-]{0,63}$/;

export const isType = (type) => typeof type === 'string' && TYPE.test(type);

export const isContentType = (type) => isType(type) && !PREDEFINED.has(type);

/** Bit of a stored role, or null for a context or an unknown name. */
export function roleBit(rbac, role) {
  if (role === 'Owner') return OWNER_BIT;
  const index = rbac.roles.indexOf(role);
  return index < 0 ? null : 1n << BigInt(FIRST_ROLE_BIT + index);
}

/** Mask as the SMT value: hex64, or null for 0. */
export const maskValue = (mask) => (mask === 0n ? null : toHex(bigEndian(mask, 32)));

const CONTEXTS = {
  Self: (context) => context.self,
  Sender: (context) => context.self,
  Any: (context) => context.authenticated,
  Public: () => true,
};

function holds(rbac, mask, role, context) {
  if (CONTEXTS[role]) return Boolean(CONTEXTS[role](context));
  const bit = roleBit(rbac, role);
  return bit !== null && (mask & bit) !== 0n;
}

const WRITES = new Set(['C', 'U', 'D']);

function names(row, type, op) {
  if (row.event === type) return true;
  return row.event === '*' && !(WRITES.has(op) && PREDEFINED.has(type));
}

/** The rows that permit op on type; none when a deny row holds too. */
export function permittingRows(rbac, mask, type, op, context) {
  const rows = rbac.schema.filter(
    (row) => names(row, type, op) && holds(rbac, mask, row.role, context));
  if (rows.some((row) => row.ops.includes(`_${op}`))) return [];
  return rows.filter((row) => row.ops.includes(op));
}

export function permits(rbac, mask, type, op, context) {
  return permittingRows(rbac, mask, type, op, context).length > 0;
}

/** Roles that these rows let their holder hand out; never Owner. */
export function targetRoles(rbac, rows) {
  const all = rows.flatMap((row) => row.target_roles ?? rbac.roles);
  return new Set(all.filter((role) => role !== 'Owner'));
}

export function carriesPush(rbac, role) {
  return rbac.schema.some(
    (row) => row.role === role && (row.ops.includes('P') || row.ops.includes('N')));
}
