// The session's place in the order of checks: before the grant, which it names. There is no way to open one yet, so
// where sessions are required every request is refused, and elsewhere it is judged under the grant alone.
import { deny, PASS } from '#model/verdict.ts';
import type { Stage } from '../stage.ts';

export function sessionStage(required: boolean): Stage {
  return {
    name: 'session',
    run: () => (required ? deny('session_required') : PASS),
  };
}
