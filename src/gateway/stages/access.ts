// A read grant reads: safe methods (RFC 9110 section 9.2.1), by every method the request claims to be, no WebSocket,
// since nobody sees what travels on it, and what the policy's SafeRoutes name besides.
import { judgeWithBody } from '../held-body.ts';
import { judgeAccess } from '../policy-judgement.ts';
import type { Stage } from '../stage.ts';

export const accessStage: Stage = {
  name: 'access',
  run: (x) => judgeWithBody(x, judgeAccess),
};
