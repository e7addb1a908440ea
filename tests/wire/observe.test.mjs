#!/usr/bin/env node
// Alerts, dashboard and runbook: their syntax, when alerts fire, and that every figure they ask for
// is one that a node has.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { newCertificate } from './lib/certificate.mjs';
import { runSuite } from './lib/check.mjs';
import { Enclave, wall } from './lib/fixtures.mjs';
import { scrape } from './lib/metrics.mjs';
import { Daemon, newFolder } from './lib/process.mjs';

const DEPLOY = fileURLToPath(new URL('../../deploy', import.meta.url));
const read = (name) => fs.readFileSync(path.join(DEPLOY, name), 'utf8');
const promtool = (...args) => execFileSync('promtool', args, { encoding: 'utf8', stdio: 'pipe' });
/* Prometheus makes these itself. */
const OWN = ['up'];

/** { name, labels } of every selector in a query: a name with braces, or without them one of ours. */
function selectors(query) {
  const bare = query.replace(/"(?:\\.|[^"\\])*"/g, '""')
    .replace(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, '');
  const braced = [...bare.matchAll(/([a-zA-Z_:][\w:]*)\{([^}]*)\}/g)].map(([, name, inside]) => ({ name,
    labels: [...inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label) }));
  const rest = bare.replace(/[a-zA-Z_:][\w:]*\{[^}]*\}/g, '');
  const naked = [...rest.matchAll(/\b(?:enclaved|process)_\w+/g)].map(([name]) => ({ name, labels: [] }));
  return [...braced, ...naked];
}

/** Labels by metric, of a page. */
function metricsOf(page) {
  const metrics = new Map();
  for (const [, name, kind] of page.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const ends = kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const end of ends) metrics.set(name + end, new Set(['instance', 'job']));
  }
  for (const [, name, labels] of page.matchAll(/^([a-z_]+)\{(.*)\} \S+$/gm)) {
    for (const [, label] of labels.matchAll(/(\w+)="/g)) metrics.get(name)?.add(label);
  }
  return metrics;
}

/** What of these queries no node has. */
function unknownIn(queries, metrics) {
  return queries.flatMap((query) => selectors(query).flatMap(({ name, labels }) => {
    if (OWN.includes(name)) return [];
    if (!metrics.has(name)) return [name];
    return labels.filter((label) => !metrics.get(name).has(label)).map((label) => `${name}{${label}}`);
  }));
}

const alerts = () => read('prometheus/alerts.yaml');
const alertNames = () => [...alerts().matchAll(/^ {6}- alert: (\w+)$/gm)].map(([, name]) => name);
const alertQueries = () => alerts().split(/^ {6}- alert: /m).slice(1)
  .map((rule) => rule.match(/expr: >-\n((?: {10}.*\n)+)/)[1].replace(/\s+/g, ' '));

function dashboardQueries() {
  const dashboard = JSON.parse(read('grafana/enclaved.json'));
  return dashboard.panels.flatMap((panel) => (panel.targets ?? []).map((target) => target.expr));
}

const plain = (query) => query.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '5m');

await runSuite(async ({ check }) => {
  const { certificate, key } = newCertificate();
  const daemon = await Daemon.start({ env: { ENCLAVED_TLS_LISTEN: '127.0.0.1:0',
    ENCLAVED_TLS_CERTIFICATE: certificate, ENCLAVED_TLS_KEY: key } });
  const enclave = await Enclave.create(daemon.client, wall);
  await enclave.post(enclave.owner);
  await enclave.tryAdd(enclave.owner, 'Nothing', 'x'); /* refusals have series once there was one */
  const metrics = metricsOf(await scrape(daemon));
  assert.equal((await daemon.stop()).code, 0);

  await check('the rules hold before promtool', () => {
    promtool('check', 'rules', path.join(DEPLOY, 'prometheus/alerts.yaml'));
    promtool('test', 'rules', path.join(DEPLOY, 'prometheus/test_alerts.yaml'));
    promtool('check', 'config', '--syntax-only', path.join(DEPLOY, 'prometheus/prometheus.yaml'));
  });
  await check('each alert has a test that fires it and one that does not', () => {
    const tests = read('prometheus/test_alerts.yaml');
    assert.ok(alertNames().length >= 15);
    for (const name of alertNames()) {
      assert.match(tests, new RegExp(`alertname: ${name}\n +exp_alerts:\n`), name);
      assert.match(tests, new RegExp(`alertname: ${name}\n +exp_alerts: \\[\\]`), name);
    }
  });
  await check('a changed threshold makes its test fail', () => {
    const folder = newFolder();
    fs.writeFileSync(path.join(folder, 'alerts.yaml'), alerts().replace('> 0.9', '> 0.99'));
    fs.copyFileSync(path.join(DEPLOY, 'prometheus/test_alerts.yaml'), path.join(folder, 'test_alerts.yaml'));
    assert.throws(() => promtool('test', 'rules', path.join(folder, 'test_alerts.yaml')));
  });
  await check('the queries of the dashboard are queries', () => {
    const file = path.join(newFolder(), 'rules.yaml');
    const rules = dashboardQueries().map((query, i) =>
      `  - {record: "panel:${i}", expr: ${JSON.stringify(plain(query))}}`);
    assert.ok(rules.length > 40);
    fs.writeFileSync(file, `groups:\n- name: dashboard\n  rules:\n${rules.join('\n')}\n`);
    promtool('check', 'rules', file);
  });
  await check('every figure that is asked for is one that a node has', () => {
    assert.deepEqual(unknownIn([...alertQueries(), ...dashboardQueries().map(plain)], metrics), []);
    const asked = new Set([...alertQueries(), ...dashboardQueries()].flatMap(selectors).map((one) => one.name));
    assert.ok(asked.size > 40, [...asked].join(' '));
  });
  await check('a wrong name, and a wrong label, would be noticed', () => {
    const planted = alertQueries().map((query) => query.replace('enclaved_threads_stuck', 'enclaved_thread_stuck')
      .replace('stage="sync"', 'phase="sync"'));
    assert.deepEqual(unknownIn(planted, metrics).sort(),
      ['enclaved_stage_duration_seconds_bucket{phase}', 'enclaved_thread_stuck']);
  });
  await check('each alert has a heading in the runbook, and each heading an alert', () => {
    const headings = [...read('runbook.md').matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(headings, alertNames());
    for (const name of alertNames()) {
      assert.ok(alerts().includes(`runbook: deploy/runbook.md#${name.toLowerCase()}\n`), name);
    }
    for (const text of read('runbook.md').split(/^## /m).slice(1)) {
      assert.match(text, /\*\*You see\*\*[^]*\*\*It\s+means\*\*[^]*\*\*Do\*\*/, text.split('\n')[0]);
    }
  });
  await check('panels do not lie on each other, and have names of their own', () => {
    const { panels } = JSON.parse(read('grafana/enclaved.json'));
    const cells = new Set();
    for (const { gridPos: { x, y, w, h }, title } of panels) {
      for (let i = x; i < x + w; i++) for (let j = y; j < y + h; j++) {
        assert.ok(i < 24 && !cells.has(`${i},${j}`), title);
        cells.add(`${i},${j}`);
      }
    }
    assert.equal(new Set(panels.map((panel) => panel.id)).size, panels.length);
    assert.equal(new Set(panels.map((panel) => panel.title)).size, panels.length);
  });
});
