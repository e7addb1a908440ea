// The part of JSON Schema that the node's documents use; a keyword it does not know is an error of the document.

const KNOWN = new Set(['type', 'required', 'properties', 'items', 'oneOf', 'allOf', 'const', 'enum', 'pattern',
  'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'additionalProperties', 'description', 'default',
  '$ref']);

const typeOf = (value) =>
  value === null ? 'null' : Array.isArray(value) ? 'array'
    : Number.isInteger(value) ? 'integer' : typeof value;

export function resolve(document, ref) {
  const found = ref.slice(2).split('/').reduce((at, key) => at?.[key], document);
  if (!found) throw new Error(`${ref} leads nowhere`);
  return found;
}

/** What does not fit, as lines of text. */
export function misfits(document, schema, value, at = '$') {
  const unknown = Object.keys(schema).filter((key) => !KNOWN.has(key));
  if (unknown.length) throw new Error(`keywords ${unknown} at ${at}`);
  if (schema.$ref) return misfits(document, resolve(document, schema.$ref), value, at);
  const within = (inner) => misfits(document, inner, value, at);
  const faults = [];
  const must = (holds, what) => holds || faults.push(`${at}: ${what}`);
  const types = [schema.type ?? []].flat();
  must(!types.length || types.includes(typeOf(value)), `${typeOf(value)} is not ${types}`);
  must(schema.const === undefined || value === schema.const, `not ${schema.const}`);
  must(!schema.enum || schema.enum.includes(value), `not one of ${schema.enum}`);
  if (schema.oneOf) must(schema.oneOf.some((one) => within(one).length === 0), 'fits none of oneOf');
  for (const one of schema.allOf ?? []) faults.push(...within(one));
  if (typeof value === 'string') {
    must(!schema.pattern || new RegExp(schema.pattern).test(value), `not ${schema.pattern}`);
    must(!(value.length < schema.minLength), 'too short');
    must(!(value.length > schema.maxLength), 'too long');
  }
  if (typeof value === 'number')
    must(!(value < schema.minimum) && !(value > schema.maximum), 'out of bounds');
  if (Array.isArray(value)) {
    must(!(value.length < schema.minItems), 'too few items');
    if (schema.items)
      value.forEach((item, i) => faults.push(...misfits(document, schema.items, item, `${at}[${i}]`)));
  }
  if (typeOf(value) === 'object') faults.push(...members(document, schema, value, at));
  return faults;
}

function members(document, schema, value, at) {
  const faults = (schema.required ?? []).filter((key) => !(key in value)).map((key) => `${at}.${key}: missing`);
  for (const [key, inner] of Object.entries(value)) {
    const known = schema.properties?.[key] ?? schema.additionalProperties;
    if (known === false) faults.push(`${at}.${key}: unknown`);
    else if (known && known !== true) faults.push(...misfits(document, known, inner, `${at}.${key}`));
  }
  return faults;
}
