// Postern's own prefix on the data listener. Nothing below it is ever forwarded (class 16): the assertion's key set and a
// browser's way in and out are answered, everything else is not found.
import { deny, PASS } from '#model/verdict.ts';
import type { BrowserEntry } from '../browser-entry.ts';
import type { LocalAnswer } from '../exchange.ts';
import { ENTER_PATH, isReserved, JWKS_PATH, LEAVE_PATH } from '../reserved-paths.ts';
import type { Stage } from '../stage.ts';

export interface ReservedStageDeps {
  /** The key set, as JSON. */
  readonly jwks: string;
  /** Null: browsers have no way in of their own. */
  readonly browser: BrowserEntry | null;
}

export function reservedStage({ jwks, browser }: ReservedStageDeps): Stage {
  const keySet: LocalAnswer = {
    status: 200,
    contentType: 'application/jwk-set+json',
    body: jwks,
    cacheControl: 'public, max-age=300',
    headers: [],
  };
  return {
    name: 'reserved',
    run(x) {
      const path = x.target === null ? '' : x.target.path;
      if (!isReserved(path) && !isReserved(x.routePath)) return PASS;
      x.isReserved = true;
      // Under the tenant's own prefix where tenancy is by path: these two are about one tenant.
      if (browser !== null && x.routePath === ENTER_PATH) return browser.enter(x);
      if (browser !== null && x.routePath === LEAVE_PATH) return browser.leave(x);
      if (path !== JWKS_PATH) return deny('not_found');
      if (x.method !== 'GET' && x.method !== 'HEAD') return deny('method_not_allowed');
      x.localAnswer = keySet;
      // Not PASS: the pipeline ends here, and `localAnswer` is what ends it.
      return deny('not_found');
    },
  };
}
