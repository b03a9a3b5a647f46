// Rate and concurrency per principal (P10). After the grant, so that strangers use up nobody's share.
// What is taken here is given back in finish.ts. Hot.
import type { Clock } from '#model/clock.ts';
import { deny, PASS } from '#model/verdict.ts';
import type { PrincipalLimits } from '../principal-limits.ts';
import type { Stage } from '../stage.ts';

/** Null: no limits are configured. */
export function limitsStage(limits: PrincipalLimits | null, clock: Clock): Stage {
  return {
    name: 'limits',
    run(x) {
      if (limits === null) return PASS;
      if (x.credential === null) return deny('no_credential');
      x.usage = limits.acquire(x.credential.principal, clock.monotonic());
      return x.usage === null ? deny('rate_limited') : PASS;
    },
  };
}
