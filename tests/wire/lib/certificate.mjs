// Certificates of an hour for tests, made by openssl.

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { newFolder } from './process.mjs';

/** { certificate, key } as paths; name is the common name, by which tests tell certificates apart. */
export function newCertificate(name = 'localhost', folder = newFolder()) {
  const certificate = path.join(folder, 'certificate.pem');
  const key = path.join(folder, 'key.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', `/CN=${name}`,
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate],
  { stdio: 'ignore' });
  return { certificate, key, folder };
}
