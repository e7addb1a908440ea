// Manifests against the types of Kubernetes, strictly: unknown and missing fields, wrong types, APIs that are gone.

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { pack } from './packs.mjs';

/* Every kind the chart may make. What is not here is a mistake or needs a row. */
const KINDS = {
  'v1 ConfigMap': 'V1ConfigMap',
  'v1 Secret': 'V1Secret',
  'v1 Service': 'V1Service',
  'v1 ServiceAccount': 'V1ServiceAccount',
  'v1 Pod': 'V1Pod',
  'v1 PersistentVolumeClaim': 'V1PersistentVolumeClaim',
  'apps/v1 StatefulSet': 'V1StatefulSet',
  'policy/v1 PodDisruptionBudget': 'V1PodDisruptionBudget',
  'autoscaling/v2 HorizontalPodAutoscaler': 'V2HorizontalPodAutoscaler',
  'networking.k8s.io/v1 Ingress': 'V1Ingress',
  'networking.k8s.io/v1 NetworkPolicy': 'V1NetworkPolicy',
};

/* Of others' definitions, as far as we use them; "name?" is optional, [x] a list, null anything. */
const PARENT = { name: 'string', 'namespace?': 'string', 'sectionName?': 'string', 'port?': 'number',
  'group?': 'string', 'kind?': 'string' };
const RULE = { 'alert?': 'string', 'record?': 'string', expr: null, 'for?': 'string', 'labels?': null,
  'annotations?': null };
const FOREIGN = {
  'monitoring.coreos.com/v1 ServiceMonitor': {
    selector: { matchLabels: null },
    endpoints: [{ port: 'string', path: 'string', interval: 'string' }],
  },
  'monitoring.coreos.com/v1 PrometheusRule': {
    groups: [{ name: 'string', 'interval?': 'string', rules: [RULE] }],
  },
  'gateway.networking.k8s.io/v1 HTTPRoute': {
    parentRefs: [PARENT],
    'hostnames?': ['string'],
    rules: [{ backendRefs: [{ name: 'string', port: 'number' }] }],
  },
};

const LIST = /^Array<(.*)>$/;
const MAP = /^\{ \[key: string\]: (.*); \}$/;
const SCALARS = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  any: () => true,
  object: () => true,
  Date: (value) => typeof value === 'string',
  IntOrString: (value) => typeof value === 'string' || Number.isInteger(value),
};

export class Kstrict {
  #required = new Map();

  static async load() {
    const checker = new Kstrict();
    checker.models = path.join(pack('kubernetes'), 'dist/gen/models');
    checker.types = await import(pathToFileURL(path.join(checker.models, 'ObjectSerializer.js')));
    return checker;
  }

  /** Everything that is wrong with a manifest, as lines of text. */
  check(manifest) {
    const id = `${manifest?.apiVersion} ${manifest?.kind}`;
    const faults = [];
    if (KINDS[id]) this.#object(faults, `${manifest.kind}`, manifest, KINDS[id]);
    else if (FOREIGN[id]) shape(faults, `${manifest.kind}.spec`, manifest.spec, FOREIGN[id]);
    else faults.push(`${id}: no such kind`);
    if (!manifest?.metadata?.name) faults.push(`${id}: metadata.name is missing`);
    return faults;
  }

  /* The declarations know what the maps do not: which fields must be there. */
  #requiredOf(type) {
    if (!this.#required.has(type)) {
      const text = fs.readFileSync(path.join(this.models, `${type}.d.ts`), 'utf8');
      this.#required.set(type, [...text.matchAll(/^ {4}'([\w-]+)': /gm)].map((match) => match[1]));
    }
    return this.#required.get(type);
  }

  #object(faults, where, value, type) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      faults.push(`${where}: not an object`);
      return;
    }
    const fields = new Map(this.types[type].getAttributeTypeMap().map((row) => [row.baseName, row.type]));
    for (const [key, inner] of Object.entries(value)) {
      if (fields.has(key)) this.#value(faults, `${where}.${key}`, inner, fields.get(key));
      else faults.push(`${where}.${key}: unknown`);
    }
    const names = new Map(this.types[type].getAttributeTypeMap().map((row) => [row.name, row.baseName]));
    for (const name of this.#requiredOf(type))
      if (!((names.get(name) ?? name) in value)) faults.push(`${where}.${name}: missing`);
  }

  #value(faults, where, value, type) {
    const [, item] = LIST.exec(type) ?? [];
    const [, entry] = MAP.exec(type) ?? [];
    if (item && Array.isArray(value))
      value.forEach((inner, i) => this.#value(faults, `${where}[${i}]`, inner, item));
    else if (entry && value && typeof value === 'object' && !Array.isArray(value))
      Object.entries(value).forEach(([key, inner]) => this.#value(faults, `${where}.${key}`, inner, entry));
    else if (SCALARS[type]) SCALARS[type](value) || faults.push(`${where}: not a ${type}`);
    else if (item || entry || !this.types[type]?.getAttributeTypeMap) faults.push(`${where}: not ${type}`);
    else this.#object(faults, where, value, type);
  }
}

function shape(faults, where, value, pattern) {
  if (pattern === null) return;
  if (typeof pattern === 'string') {
    if (typeof value !== pattern) faults.push(`${where}: not a ${pattern}`);
  } else if (Array.isArray(pattern)) {
    if (!Array.isArray(value) || value.length === 0) faults.push(`${where}: not a list with items`);
    else value.forEach((inner, i) => shape(faults, `${where}[${i}]`, inner, pattern[0]));
  } else {
    members(faults, where, value ?? {}, pattern);
  }
}

function members(faults, where, value, pattern) {
  const known = new Map(Object.keys(pattern).map((key) => [key.replace('?', ''), key]));
  for (const key of Object.keys(value))
    if (known.has(key)) shape(faults, `${where}.${key}`, value[key], pattern[known.get(key)]);
    else faults.push(`${where}.${key}: unknown`);
  for (const [name, key] of known)
    if (!key.endsWith('?') && !(name in value)) faults.push(`${where}.${name}: missing`);
}
