// The targets by name, with the sources whose blocks guide each: apart from the targets themselves, whose modules may
// only be loaded once the coverage has begun.
import type { FuzzTarget } from './fuzz-target.ts';

export const TARGETS: Readonly<Record<string, RegExp>> = {
  'request-target':
    /src\/(?:gateway\/(?:request-target|path-segments)|policy\/(?:reading|second-reading|fold))\.ts/,
  headers:
    /src\/(?:gateway\/raw-headers|upstream\/(?:headers|managed-headers|field-value)|model\/name-cache)\.ts/,
  matcher:
    /src\/policy\/(?:compile|evaluate|explain|reading|second-reading|fold|glob|pattern|trie|query|methods|rule-set)\.ts/,
  policy: /src\/policy\//,
  config: /src\/config\//,
  journal: /src\/audit\//,
  token: /src\/(?:authn\/(?:token-parts|token-verifier|claims)|model\/strict-json)\.ts/,
  sockets: /src\/(?:gateway|upstream|policy|authn)\//,
};

export async function loadTarget(name: string): Promise<FuzzTarget> {
  const { target } = (await import(`./targets/${name}.ts`)) as { readonly target: FuzzTarget };
  return target;
}
