// Postern's own prefix on the data listener. Nothing below it is ever forwarded (class 16): the assertion's key set
// is answered, everything else is not found.
import { deny, PASS } from '#model/verdict.ts';
import type { LocalAnswer } from '../exchange.ts';
import type { Stage } from '../stage.ts';

const RESERVED_PREFIX = '/-/postern';
const JWKS_PATH = `${RESERVED_PREFIX}/jwks.json`;

export function reservedStage(jwks: string): Stage {
  const keySet: LocalAnswer = {
    status: 200,
    contentType: 'application/jwk-set+json',
    body: jwks,
    cacheControl: 'public, max-age=300',
  };
  return {
    name: 'reserved',
    run(x) {
      const path = x.target === null ? '' : x.target.path;
      if (!isReserved(path) && !isReserved(x.routePath)) return PASS;
      if (path !== JWKS_PATH) return deny('not_found');
      if (x.method !== 'GET' && x.method !== 'HEAD') return deny('method_not_allowed');
      x.localAnswer = keySet;
      // Not PASS: the pipeline ends here, and `localAnswer` is what ends it.
      return deny('not_found');
    },
  };
}

/** In any case: an upstream that folds case must not be reached under a name of ours either. */
function isReserved(path: string): boolean {
  if (path.charCodeAt(1) !== 0x2d) return false;
  const head = path.slice(0, RESERVED_PREFIX.length).toLowerCase();
  const next = path.charCodeAt(RESERVED_PREFIX.length);
  return head === RESERVED_PREFIX && (Number.isNaN(next) || next === 0x2f || next === 0x3b);
}
