// A read grant reads: only safe methods (RFC 9110 section 9.2.1), by every method the request claims to be, and no
// WebSocket, since nobody sees what travels on it afterwards.
import { deny, PASS } from '#model/verdict.ts';
import type { Stage } from '../stage.ts';
import { claimedMethods } from '../method-override.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export const accessStage: Stage = {
  name: 'access',
  run(x) {
    if (x.grant === null || x.target === null) return deny('no_grant');
    if (x.grant.access === 'write') return PASS;
    if (x.socket !== null || !SAFE.has(x.method)) return deny('read_only');
    if (x.target.query === '') return PASS;
    return claimedMethods(x.target.query).every((method) => SAFE.has(method)) ? PASS : deny('read_only');
  },
};
