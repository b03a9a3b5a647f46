// A gate whose data listener speaks TLS, with a certificate made for it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GateOptions } from './gate.ts';
import { selfSigned } from './upstream-certificate.ts';

const ANY = { address: '127.0.0.1:0' };
const TLS = { cert: { fromFile: 'tls.crt' }, key: { fromFile: 'tls.key' } };

export function overTls(upstreamPort: number): GateOptions {
  return {
    upstreamPort,
    config: { listen: { data: { ...ANY, tls: TLS }, control: ANY, ops: ANY } },
    prepare: writeTlsPair,
  };
}

/** A new pair in place of the one there. */
export function writeTlsPair(folder: string): void {
  const pair = selfSigned();
  writeFileSync(join(folder, 'tls.crt'), pair.cert);
  writeFileSync(join(folder, 'tls.key'), pair.key, { mode: 0o600 });
}
