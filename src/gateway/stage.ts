// What a stage is: one check, one file, one name. The order of all of them stands in pipeline.ts.
// A denial is a value; a fault is thrown. Anything that is not PASS stops the request: a forgotten return denies.
import type { Verdict } from '#model/verdict.ts';
import type { Exchange } from './exchange.ts';

type StageName =
  | 'head'
  | 'target'
  | 'host'
  | 'route-settings'
  | 'reserved'
  | 'gate-state'
  | 'upgrade'
  | 'credential'
  | 'tenant'
  | 'view'
  | 'lock'
  | 'settings'
  | 'session'
  | 'grant'
  | 'limits'
  | 'access'
  | 'workspace'
  | 'rules'
  | 'upstream-headers'
  | 'policy-in-force'
  | 'use';

export interface Stage {
  readonly name: StageName;
  /** Once a promise of its has come to PASS it is run again: what it read may not count any more by then. */
  readonly repeats?: boolean;
  /** Synchronous when everything is cached. */
  run(x: Exchange): Verdict | Promise<Verdict>;
}
