#!/usr/bin/env node
// compose.yaml: known keys only, everything it names is there, and its parts agree with the image and with each other.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { runSuite } from '../wire/lib/check.mjs';
import { Missing, REPO, yaml } from './lib/packs.mjs';

const DEPLOY = path.join(REPO, 'deploy');
const text = (name) => fs.readFileSync(path.join(DEPLOY, name), 'utf8');

/* Of the Compose Specification, as far as we use it: the type of every key. */
const SERVICE = { image: 'string', build: 'object', command: 'list', ports: 'list', expose: 'list',
  volumes: 'list', environment: 'object', user: 'string', read_only: 'boolean', cap_drop: 'list',
  security_opt: 'list', stop_grace_period: 'string', deploy: 'object', depends_on: 'any', restart: 'string' };
const TOP = { name: 'string', services: 'object', volumes: 'object' };
const TYPES = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  list: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  object: (value) => value !== null && typeof value === 'object' && !Array.isArray(value),
  any: () => true,
};

function faults(where, object, keys) {
  return Object.entries(object).flatMap(([key, value]) =>
    keys[key] === undefined ? [`${where}.${key}: unknown`]
      : TYPES[keys[key]](value) ? [] : [`${where}.${key}: not a ${keys[key]}`]);
}

function composeFaults(file) {
  return [...faults('compose', file, TOP),
    ...Object.entries(file.services).flatMap(([name, service]) => faults(name, service, SERVICE))];
}

await runSuite(async ({ check, skip }) => {
  let load;
  try {
    ({ load } = await yaml());
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    await check('compose.yaml is there', () => text('compose.yaml'));
    skip('everything that needs a reader of YAML', error.message);
    return;
  }
  const file = load(text('compose.yaml'));
  const { enclaved, prometheus, grafana } = file.services;
  const image = text('Dockerfile');
  const ports = image.match(/^EXPOSE (.*)$/m)[1].split(' ');

  await check('it has no key that the specification does not have', () => {
    assert.deepEqual(composeFaults(file), []);
    for (const spoil of [(f) => (f.services.enclaved.readonly = true), (f) => (f.services.grafana.ports = 1),
      (f) => (f.version = '3')]) {
      const other = structuredClone(file);
      spoil(other);
      assert.equal(composeFaults(other).length, 1);
    }
  });
  await check('every mounted path is in deploy/, every volume declared and used', () => {
    const mounts = Object.values(file.services).flatMap((service) => service.volumes);
    const sources = mounts.map((mount) => mount.split(':')[0]);
    sources.filter((source) => source.startsWith('.'))
      .forEach((source) => assert.ok(fs.statSync(path.join(DEPLOY, source)).isDirectory(), source));
    const named = sources.filter((source) => !source.startsWith('.'));
    assert.deepEqual([...new Set(named)].sort(), Object.keys(file.volumes).sort());
  });
  await check('the node runs as the image wants it: user, volume, ports, read-only, no capability', () => {
    assert.equal(enclaved.user, image.match(/^USER (.*)$/m)[1]);
    assert.ok(enclaved.volumes.includes(`enclaved:${image.match(/^VOLUME (.*)$/m)[1]}`));
    assert.equal(enclaved.read_only, true);
    assert.deepEqual(enclaved.cap_drop, ['ALL']);
    const open = [...enclaved.ports.map((port) => port.split(':').pop()), ...enclaved.expose];
    assert.deepEqual(open.sort(), ports.sort());
    assert.ok(fs.existsSync(path.join(DEPLOY, enclaved.build.context, enclaved.build.dockerfile)));
    assert.equal(enclaved.deploy.replicas, 1);
    assert.match(image, /^HEALTHCHECK /m, 'service_healthy waits for one');
    assert.ok(parseInt(enclaved.stop_grace_period) * 1000 > 10_000, 'longer than the drain');
  });
  await check('nothing is reachable from other machines', () => {
    for (const service of Object.values(file.services))
      (service.ports ?? []).forEach((port) => assert.ok(port.startsWith('127.0.0.1:'), port));
  });
  await check('Prometheus scrapes the admin listener and reads the rules beside it', () => {
    const config = load(text('prometheus/prometheus.yaml'));
    const targets = config.scrape_configs.flatMap((job) => job.static_configs.flatMap((s) => s.targets));
    assert.deepEqual(targets, [`enclaved:${enclaved.expose[0]}`]);
    assert.ok(prometheus.command.includes('--config.file=/etc/prometheus/prometheus.yaml'));
  });
  await check('Grafana asks that Prometheus and finds dashboards where they are mounted', () => {
    const [source] = load(text('grafana/provisioning/datasources/prometheus.yaml')).datasources;
    const port = prometheus.ports[0].split(':').pop();
    assert.equal(source.url, `http://prometheus:${port}`);
    const [provider] = load(text('grafana/provisioning/dashboards/enclaved.yaml')).providers;
    assert.ok(grafana.volumes.includes(`./grafana:${provider.options.path}:ro`));
    assert.ok(grafana.volumes.includes('./grafana/provisioning:/etc/grafana/provisioning:ro'));
  });
  const promtool = spawnSync('promtool', ['check', 'config', path.join(DEPLOY, 'prometheus/prometheus.yaml')],
    { encoding: 'utf8' });
  if (promtool.error) skip('promtool check config', 'promtool is not installed');
  else await check('promtool check config', () => assert.equal(promtool.status, 0, promtool.stderr));
});
