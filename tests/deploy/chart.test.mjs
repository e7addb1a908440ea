#!/usr/bin/env node
// The chart: generated parts are fresh, it renders for every file of values, and what it renders is what we mean.
// UPDATE=1 writes golden/ again.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSuite } from '../wire/lib/check.mjs';
import { newFolder, PROGRAM } from '../wire/lib/process.mjs';
import { Helm } from './lib/helm.mjs';
import { Kstrict } from './lib/kstrict.mjs';
import { Missing, pack, REPO, yaml } from './lib/packs.mjs';
import { breaches, podOf } from './lib/restricted.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const CHART = path.join(REPO, 'deploy/helm/enclaved');
const VALUES = ['ci/default-values.yaml', 'ci/full-values.yaml', 'ci/inline-values.yaml',
  'examples/blue.yaml', 'examples/green.yaml', 'examples/canary.yaml'];
const SERVED_BY_OTHERS = ['ca', 'node-key', 'node-tls', 'enclaved-store', 'node-example-org'];

const run = (...words) => spawnSync(words[0], words.slice(1), { encoding: 'utf8' });
const readJson = (name) => JSON.parse(fs.readFileSync(path.join(CHART, name), 'utf8'));
const bare = (object) => JSON.parse(JSON.stringify(object));

/* Values that must be refused, and a word of the reason. */
const REFUSED = [
  ['replicaCount=2', 'one store has one sequencer'],
  ['replicaCount=-1', 'replicaCount'],
  ['mode=cluster', 'mode'],
  ['autoscaling.enabled=true,autoscaling.maxReplicas=2', 'one store has one sequencer'],
  [`nodeKey.existingSecret=a,nodeKey.value=${'0'.repeat(64)}`, 'not both'],
  ['nodeKey.value=abc', 'nodeKey.value'],
  ['tls.enabled=true', 'tls: needs existingSecret'],
  ['tls.enabled=yes', 'tls.enabled'],
  ['ingress.enabled=true', 'ingress.hosts'],
  ['httpRoute.enabled=true', 'httpRoute.parentRefs'],
  ['persistence.accessMode=ReadWriteMany', 'persistence.accessMode'],
  ['persistence.subdirectory=../x', 'persistence.subdirectory'],
  ['persistence.subdirectory=.', 'persistence.subdirectory'],
  ['podSecurityContext.runAsUser=0', 'runAsUser'],
  ['podSecurityContext.runAsNonRoot=false', 'runAsNonRoot'],
  ['podSecurityContext.fsGroupChangePolicy=Always', 'fsGroupChangePolicy'],
  ['podSecurityContext.seccompProfile.type=Unconfined', 'seccompProfile'],
  ['securityContext.readOnlyRootFilesystem=false', 'readOnlyRootFilesystem'],
  ['securityContext.allowPrivilegeEscalation=true', 'allowPrivilegeEscalation'],
  ['securityContext.capabilities.add={SYS_ADMIN}', 'add'],
  ['podDisruptionBudget.maxUnavailable=2', 'maxUnavailable'],
  ['image.digest=sha256:12', 'image.digest'],
  ['service.port=0', 'service.port'],
  ['config.data=/x', 'data'],
  ['config.listen=0.0.0.0:1', 'listen'],
  ['config.tls.listen=0.0.0.0:1', 'listen'],
  ['config.admin_tls.certificate=x', 'admin_tls'],
  ['config.limits.body=1', 'body'],
  ['config.log_level=loud', 'log_level'],
];

/** Paths of all closed objects of a schema, as --set knows them. */
function* closed(schema, at = '') {
  if (schema.additionalProperties === false && at) yield at;
  for (const [key, inner] of Object.entries(schema.properties ?? {}))
    yield* closed(inner, at ? `${at}.${key}` : key);
}

/* Bugs for the checkers: what is changed in a good manifest, and what they must say. */
const KPLANTS = [
  ['StatefulSet', (m) => (m.spec.template.spec.serviceAcountName = 'x'), 'serviceAcountName: unknown'],
  ['StatefulSet', (m) => (m.spec.replicas = '1'), 'replicas: not a number'],
  ['StatefulSet', (m) => delete m.spec.selector, 'selector: missing'],
  ['StatefulSet', (m) => delete m.spec.template.spec.containers[0].name, 'name: missing'],
  ['StatefulSet', (m) => (m.apiVersion = 'apps/v1beta1'), 'no such kind'],
  ['StatefulSet', (m) => (m.spec.template.spec.volumes = {}), 'volumes: not Array'],
  ['Service', (m) => (m.spec.ports[0].targetPort = true), 'not a IntOrString'],
  ['Service', (m) => (m.metadata.labels.x = 1), 'labels.x: not a string'],
  ['Service', (m) => delete m.metadata.name, 'metadata.name is missing'],
  ['ServiceMonitor', (m) => delete m.spec.endpoints[0].port, 'port: missing'],
  ['HTTPRoute', (m) => (m.spec.rules[0].backendRefs[0].port = '80'), 'not a number'],
  ['HTTPRoute', (m) => (m.spec.hostname = 'x'), 'hostname: unknown'],
];
const POD_PLANTS = [
  ['runs as root', (pod) => { delete pod.securityContext.runAsNonRoot;
    delete pod.containers[0].securityContext.runAsNonRoot; }],
  ['has user 0', (pod) => (pod.securityContext.runAsUser = 0)],
  ['may gain privileges', (pod) => delete pod.containers[0].securityContext.allowPrivilegeEscalation],
  ['is privileged', (pod) => (pod.containers[0].securityContext.privileged = true)],
  ['keeps capabilities', (pod) => delete pod.containers[0].securityContext.capabilities],
  ['adds capabilities', (pod) => (pod.containers[0].securityContext.capabilities.add = ['SYS_PTRACE'])],
  ['no seccomp', (pod) => delete pod.securityContext.seccompProfile],
  ['writes to its root', (pod) => delete pod.containers[0].securityContext.readOnlyRootFilesystem],
  ['port of the machine', (pod) => (pod.containers[0].ports[0].hostPort = 80)],
  ['no limit of memory', (pod) => delete pod.containers[0].resources],
  ['another /proc', (pod) => (pod.containers[0].securityContext.procMount = 'Unmasked')],
  ['shares the network', (pod) => (pod.hostNetwork = true)],
  ['shares the processes', (pod) => (pod.hostPID = true)],
  ['token of the cluster', (pod) => delete pod.automountServiceAccountToken],
  ['kernel parameters', (pod) => (pod.securityContext.sysctls = [{ name: 'a', value: 'b' }])],
  ['volume of another kind', (pod) => pod.volumes.push({ name: 'x', hostPath: { path: '/' } })],
];

/* ---- what the manifests of one release have to do with each other ---- */

const labelsOf = (manifest) =>
  manifest.kind === 'StatefulSet' ? manifest.spec.template.metadata.labels : manifest.metadata.labels;
const fits = (selector, labels) => Object.entries(selector).every(([key, value]) => labels[key] === value);

function checkServices(all) {
  const set = all.find((m) => m.kind === 'StatefulSet');
  const pods = all.filter(podOf);
  const ports = set.spec.template.spec.containers[0].ports.map((port) => port.name);
  for (const service of all.filter((m) => m.kind === 'Service')) {
    const chosen = pods.filter((pod) => fits(service.spec.selector, labelsOf(pod)));
    assert.deepEqual(chosen, [set], `${service.metadata.name} selects ${chosen.length} kinds of pods`);
    service.spec.ports.forEach((port) => assert.ok(ports.includes(port.targetPort), port.targetPort));
  }
  assert.ok(fits(set.spec.selector.matchLabels, labelsOf(set)));
  assert.ok(all.some((m) => m.kind === 'Service' && m.metadata.name === set.spec.serviceName));
}

function checkReferences(all) {
  const made = new Set(all.map((m) => `${m.kind} ${m.metadata.name}`));
  const has = (kind, name) =>
    assert.ok(made.has(`${kind} ${name}`) || SERVED_BY_OTHERS.includes(name), `${kind} ${name} is not there`);
  for (const pod of all.map(podOf).filter(Boolean)) {
    const volumes = pod.volumes ?? [];
    const claims = all.flatMap((m) => m.spec?.volumeClaimTemplates ?? []).map((claim) => claim.metadata.name);
    const names = [...volumes.map((volume) => volume.name), ...claims];
    pod.containers.flatMap((c) => c.volumeMounts ?? [])
      .forEach((mount) => assert.ok(names.includes(mount.name), `nothing to mount at ${mount.mountPath}`));
    volumes.forEach((volume) => {
      if (volume.configMap) has('ConfigMap', volume.configMap.name);
      if (volume.secret) has('Secret', volume.secret.secretName);
    });
    if (pod.serviceAccountName && pod.serviceAccountName !== 'default')
      has('ServiceAccount', pod.serviceAccountName);
  }
}

/* The store refuses a directory that its group may enter, which a volume's root is. */
function checkStore(all, config) {
  const { spec } = all.find((m) => m.kind === 'StatefulSet');
  const pod = spec.template.spec;
  const mount = pod.containers[0].volumeMounts.find((entry) => entry.name === 'data').mountPath;
  assert.ok(config.data.startsWith(`${mount}/`) && config.data !== `${mount}/`);
  assert.equal(pod.securityContext.fsGroupChangePolicy, 'OnRootMismatch');
  assert.ok(spec.replicas === undefined || spec.replicas <= 1);
  const before = pod.containers[0].lifecycle?.preStop.sleep.seconds ?? 0;
  assert.ok(pod.terminationGracePeriodSeconds * 1000 > before * 1000 + config.drain_timeout_ms);
}

/* enclaved itself reads the file. */
function checkConfig(load, all) {
  const { data } = all.find((m) => m.kind === 'ConfigMap' && m.data['enclaved.yaml']);
  const text = data['enclaved.yaml'];
  const file = path.join(newFolder(), 'enclaved.yaml');
  fs.writeFileSync(file, text);
  const done = run(PROGRAM, '--config', file, '--check-config');
  assert.equal(done.status, 0, done.stderr);
  return load(text);
}

function checkGolden(name, text) {
  const file = path.join(HERE, 'golden', `${path.basename(name, '.yaml').replace('-values', '')}.yaml`);
  if (process.env.UPDATE) fs.writeFileSync(file, text);
  const done = spawnSync('diff', ['-u', file, '-'], { input: text, encoding: 'utf8' });
  assert.equal(done.status, 0, done.stdout + done.stderr);
}

async function tools() {
  pack('kubernetes');
  return { helm: new Helm(), kstrict: await Kstrict.load(), ...(await yaml()) };
}

await runSuite(async ({ check, skip }) => {
  await check('README, schema and copied files are what deploy/helm/sync writes', () => {
    const done = run(path.join(REPO, 'deploy/helm/sync'), '--check', PROGRAM);
    assert.equal(done.status, 0, done.stdout + done.stderr);
  });
  await check('deploy/helm/sync sees a stale part', () => {
    const folder = newFolder();
    fs.cpSync(path.join(REPO, 'deploy'), path.join(folder, 'deploy'), { recursive: true });
    fs.appendFileSync(path.join(folder, 'deploy/helm/enclaved/values.yaml'), '# -- New\nadded: 1\n');
    const done = run(path.join(folder, 'deploy/helm/sync'), '--check');
    assert.equal(done.status, 1);
    assert.match(done.stdout, /README.md/);
  });

  let kit;
  try {
    kit = await tools();
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    skip('everything that needs helm', error.message);
    return;
  }
  const { helm, kstrict, load, loadAll } = kit;
  const render = (...words) => {
    const done = helm.template(...words);
    assert.equal(done.status, 0, done.err);
    return { text: done.out, all: loadAll(done.out).filter(Boolean) };
  };

  await check('helm lint --strict', () => {
    const done = helm.run('lint', '--strict', helm.chart);
    assert.equal(done.status, 0, done.out + done.err);
  });
  for (const values of VALUES)
    await check(`${values}: types, security, references, configuration, golden file`, () => {
      const { text, all } = render(values);
      assert.deepEqual(all.flatMap((manifest) => kstrict.check(manifest)), []);
      assert.deepEqual(all.map(podOf).filter(Boolean).flatMap(breaches), []);
      checkServices(all);
      checkReferences(all);
      checkStore(all, checkConfig(load, all));
      checkGolden(values, text);
    });
  await check('every file of values is checked here', () => {
    const found = ['ci', 'examples'].flatMap((folder) =>
      fs.readdirSync(path.join(CHART, folder)).map((file) => `${folder}/${file}`));
    assert.deepEqual(found.sort(), [...VALUES, 'examples/front.yaml'].sort());
  });
  await check('the Service in front of blue and green selects both, and their claim is its neighbour', () => {
    const front = loadAll(fs.readFileSync(path.join(CHART, 'examples/front.yaml'), 'utf8'));
    assert.deepEqual(front.flatMap((manifest) => kstrict.check(manifest)), []);
    const [claim, service] = front;
    for (const color of ['blue', 'green']) {
      const set = render(`examples/${color}.yaml`).all.find((m) => m.kind === 'StatefulSet');
      assert.ok(fits(service.spec.selector, labelsOf(set)));
      const data = set.spec.template.spec.volumes.find((volume) => volume.name === 'data');
      assert.equal(data.persistentVolumeClaim.claimName, claim.metadata.name);
      assert.equal(set.spec.volumeClaimTemplates, undefined);
      assert.equal(set.spec.replicas, color === 'blue' ? 1 : 0);
    }
  });
  await check('alerts and dashboard arrive whole, with the labels by which they are found', () => {
    const { all } = render(null, '--set', 'metrics.prometheusRule.enabled=true,metrics.dashboard.enabled=true',
      '--set', 'metrics.prometheusRule.labels.release=prometheus');
    assert.deepEqual(all.flatMap((manifest) => kstrict.check(manifest)), []);
    const rule = all.find((m) => m.kind === 'PrometheusRule');
    const source = (name) => fs.readFileSync(path.join(REPO, 'deploy', name), 'utf8');
    assert.deepEqual(rule.spec, load(source('prometheus/alerts.yaml')));
    assert.equal(rule.metadata.labels.release, 'prometheus');
    const board = all.find((m) => m.kind === 'ConfigMap' && m.data['enclaved.json']);
    assert.deepEqual(JSON.parse(board.data['enclaved.json']), JSON.parse(source('grafana/enclaved.json')));
    assert.equal(board.metadata.labels.grafana_dashboard, '1');
  });
  await check('Kubernetes 1.29 has no sleep before a stop, 1.28 is refused', () => {
    assert.ok(!render('ci/default-values.yaml', '--kube-version', '1.29.0').text.includes('preStop'));
    assert.ok(render('ci/default-values.yaml').text.includes('preStop'));
    assert.match(helm.template('ci/default-values.yaml', '--kube-version', '1.28.0').err, /kubeVersion/);
  });
  await check('a changed configuration restarts the pod', () => {
    const of = (...words) => render(...words).all.find((m) => m.kind === 'StatefulSet')
      .spec.template.metadata.annotations['checksum/config'];
    assert.notEqual(of(null), of(null, '--set', 'config.threads=2'));
    assert.equal(of(null), of(null, '--set', 'podLabels.a=b'));
  });
  await check(`${REFUSED.length} wrong values are refused, with the reason`, () => {
    for (const [set, why] of REFUSED) {
      const done = helm.template(null, '--set', set);
      assert.notEqual(done.status, 0, set);
      assert.ok(done.err.includes(why), `${set}: ${done.err}`);
    }
  });
  await check('no object of the values takes an unknown key', () => {
    const paths = ['', ...closed(readJson('values.schema.json'))];
    assert.ok(paths.length > 30, paths.length);
    for (const at of paths) {
      const done = helm.template(null, '--set', `${at ? `${at}.` : ''}zz=1`);
      assert.match(done.err, /Additional property zz is not allowed/, at);
    }
  }, 60_000);
  await check('the checkers notice planted bugs', () => {
    const { all } = render('ci/full-values.yaml');
    for (const [kind, spoil, why] of KPLANTS) {
      const manifest = bare(all.find((m) => m.kind === kind));
      spoil(manifest);
      assert.ok(kstrict.check(manifest).some((fault) => fault.includes(why)), `${kind} ${why}`);
    }
    for (const [why, spoil] of POD_PLANTS) {
      const pod = bare(podOf(all.find((m) => m.kind === 'StatefulSet')));
      spoil(pod);
      assert.ok(breaches(pod).some((fault) => fault.includes(why)), why);
    }
  });
  await check('helm package holds the templates and not the files of CI', () => {
    const folder = newFolder();
    fs.chmodSync(folder, 0o777);
    const done = helm.run('package', helm.chart, '-d', folder);
    assert.equal(done.status, 0, done.err);
    const names = run('tar', '-tzf', path.join(folder, fs.readdirSync(folder)[0])).stdout;
    assert.ok(names.includes('enclaved/templates/statefulset.yaml'));
    assert.ok(!names.includes('ci/') && !names.includes('examples/'));
  });
});
