// Certificate and key of a listener: checked at start, and read again when their files change. Cold.
// `compose.ts` watches the files; this says what they hold now, or why the last good pair must stay.
import { createSecureContext } from 'node:tls';
import type { TlsMaterial } from './config.ts';
import { readSecretFile, type Secret } from './secret.ts';

/** Why the pair cannot serve TLS; null when it can. Says nothing of their content. */
export function tlsProblem(material: TlsMaterial): string | null {
  try {
    createSecureContext({ cert: material.cert.reveal(), key: material.key.reveal() });
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
      ? 'the certificate and the private key do not belong together'
      : 'the certificate or the private key is not PEM that can serve TLS';
  }
}

/** The material as its files hold it now, or one sentence that says why it cannot be used. Never throws. */
export function reloadTls(material: TlsMaterial): TlsMaterial | string {
  const cert = again(material.cert);
  if (typeof cert === 'string') return `the certificate's file ${cert}`;
  const key = again(material.key);
  if (typeof key === 'string') return `the private key's file ${key}`;
  const next = Object.freeze({ cert, key });
  return tlsProblem(next) ?? next;
}

/** What came from the environment cannot change while the process runs. */
function again(secret: Secret): Secret | string {
  return secret.file === null ? secret : readSecretFile(secret.file);
}
