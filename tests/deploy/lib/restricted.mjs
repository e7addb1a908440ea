// Pod security, level "restricted", and what we ask beyond it: a read-only root and no token of the cluster.

const VOLUMES = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim',
  'projected', 'secret'];

/** The pod's specification within a manifest; undefined when it has none. */
export const podOf = (manifest) =>
  manifest.kind === 'Pod' ? manifest.spec : manifest.spec?.template?.spec;

function containerBreaches(container, pod) {
  const own = container.securityContext ?? {};
  const either = (key) => own[key] ?? pod.securityContext?.[key];
  const rules = {
    'runs as root': either('runAsNonRoot') !== true,
    'has user 0': !(either('runAsUser') > 0),
    'may gain privileges': own.allowPrivilegeEscalation !== false,
    'is privileged': own.privileged === true,
    'keeps capabilities': JSON.stringify(own.capabilities?.drop) !== '["ALL"]',
    'adds capabilities': (own.capabilities?.add ?? []).some((name) => name !== 'NET_BIND_SERVICE'),
    'has no seccomp profile': !['RuntimeDefault', 'Localhost'].includes(either('seccompProfile')?.type),
    'writes to its root': own.readOnlyRootFilesystem !== true,
    'has a port of the machine': (container.ports ?? []).some((port) => port.hostPort),
    'has no limit of memory': !container.resources?.limits?.memory,
    'has another /proc': own.procMount !== undefined,
  };
  return Object.keys(rules).filter((rule) => rules[rule]).map((rule) => `${container.name} ${rule}`);
}

/** Everything that breaks a rule, as lines of text. */
export function breaches(pod) {
  const volume = (entry) => Object.keys(entry).find((key) => key !== 'name');
  const rules = {
    'shares the network of the machine': pod.hostNetwork,
    'shares the processes of the machine': pod.hostPID || pod.hostIPC,
    'mounts the token of the cluster': pod.automountServiceAccountToken !== false,
    'sets kernel parameters': pod.securityContext?.sysctls?.length,
    'has a volume of another kind': (pod.volumes ?? []).some((entry) => !VOLUMES.includes(volume(entry))),
  };
  const containers = [...pod.containers, ...(pod.initContainers ?? []), ...(pod.ephemeralContainers ?? [])];
  return [...Object.keys(rules).filter((rule) => rules[rule]).map((rule) => `pod ${rule}`),
    ...containers.flatMap((container) => containerBreaches(container, pod))];
}
