// Postern's own prefix on the data listener. Nothing below it is ever forwarded (class 16): the assertion's key set
// is answered, everything else is not found.
import { deny, PASS } from '#model/verdict.ts';
import type { LocalAnswer } from '../exchange.ts';
import type { Stage } from '../stage.ts';

const JWKS_PATH = '/-/postern/jwks.json';

const HYPHEN = 0x2d;
const PERCENT = 0x25;
const SEMICOLON = 0x3b;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

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

/**
 * By the widest reading: an upstream that folds case, drops parameters or maps a fullwidth hyphen must not be reached
 * under a name of ours either. Nothing else begins so, and most paths are told apart by their second character.
 */
function isReserved(path: string): boolean {
  const first = path.charCodeAt(1);
  if (first !== HYPHEN && first !== PERCENT && first !== SEMICOLON) return false;
  const [dash, name] = path.split('/').map(fold).filter(Boolean);
  return dash === '-' && name === 'postern';
}

function fold(segment: string): string {
  const readable = decodeURIComponent(segment).replace(INVISIBLE, '').normalize('NFKC').toLowerCase();
  const semicolon = readable.indexOf(';');
  let end = semicolon < 0 ? readable.length : semicolon;
  // A loop: `[. ]+$` looks at a long run of dots once for each of them.
  while (end > 0 && (readable[end - 1] === '.' || readable[end - 1] === ' ')) end--;
  return readable.slice(0, end);
}
