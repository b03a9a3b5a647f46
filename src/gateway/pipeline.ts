// The order of the security checks, on one screen. A request is forwarded only when every stage has said PASS; the
// record and the forwarding follow the last one. Hot: a loop over an array; a promise only where a stage made one.
import { reasonOfFault } from '#model/fault.ts';
import type { DenialCode } from '#model/reason.ts';
import { type Denial, deny, PASS, type Verdict } from '#model/verdict.ts';
import type { Exchange } from './exchange.ts';
import { createBrowserEntry } from './browser-entry.ts';
import type { Stage } from './stage.ts';
import { accessStage } from './stages/access.ts';
import { credentialStage } from './stages/credential.ts';
import { gateStateStage } from './stages/gate-state.ts';
import { grantStage } from './stages/grant.ts';
import { headStage } from './stages/head.ts';
import { hostStage } from './stages/host.ts';
import { limitsStage } from './stages/limits.ts';
import { lockStage } from './stages/lock.ts';
import { reservedStage } from './stages/reserved.ts';
import { routeSettingsStage } from './stages/route-settings.ts';
import { policyInForceStage, rulesStage } from './stages/rules.ts';
import { sessionStage } from './stages/session.ts';
import { settingsStage } from './stages/settings.ts';
import { targetStage } from './stages/target.ts';
import { tenantStage } from './stages/tenant.ts';
import { upgradeStage } from './stages/upgrade.ts';
import { upstreamHeadersStage } from './stages/upstream-headers.ts';
import { useStage } from './stages/use.ts';
import { viewStage } from './stages/view.ts';
import { workspaceStage } from './stages/workspace.ts';
import type { PipelineDeps } from './pipeline-deps.ts';

/**
 * Precedence: parse, host, reserved prefix, credential, tenant, lock, settings, session, grant, limits, read-only,
 * workspace, rule. From `view` to `grant` nothing waits but `view` itself.
 */
export function createStages(deps: PipelineDeps): readonly Stage[] {
  const gateState = gateStateStage(deps);
  const lock = lockStage(deps);
  const routeSettings = routeSettingsStage(deps);
  const rules = rulesStage(deps.policies, routeSettings);
  return [
    headStage(deps),
    targetStage,
    hostStage(deps.tenancy),
    routeSettings,
    reservedStage({ jwks: deps.forwarder.jwks, browser: createBrowserEntry({ ...deps, gateState }) }),
    gateState,
    upgradeStage(deps.origins),
    credentialStage(deps),
    tenantStage,
    viewStage(deps),
    lock,
    settingsStage,
    sessionStage(deps),
    grantStage(deps),
    // Again: the grant says for which case.
    lock,
    limitsStage(deps.principalLimits, deps.clock),
    accessStage,
    workspaceStage,
    rules,
    upstreamHeadersStage(deps.forwarder),
    policyInForceStage(deps.policies, rules),
    useStage(deps.sessions, deps.clock),
  ];
}

/** What becomes of an exchange when the stages are through with it. */
export interface PipelineExits {
  /** A stage waits, and time passes in which authority may end: it can be cut from now on. */
  waits(x: Exchange): void;
  passed(x: Exchange): void;
  refused(x: Exchange, denial: Denial): void;
  /** A fault: told to the log, and to the client by its reason alone. */
  faulted(x: Exchange, error: unknown, reason: DenialCode): void;
}

export interface Pipeline {
  run(x: Exchange): void;
}

export function createPipeline(stages: readonly Stage[], exits: PipelineExits): Pipeline {
  function runFrom(x: Exchange, first: number): void {
    for (let index = first; index < stages.length; index++) {
      let verdict: Verdict | Promise<Verdict>;
      try {
        verdict = (stages[index] as Stage).run(x);
      } catch (error) {
        fault(x, error);
        return;
      }
      if (verdict === PASS) continue;
      if (verdict instanceof Promise) {
        exits.waits(x);
        void waitFor(x, verdict, (stages[index] as Stage).repeats === true ? index : index + 1);
        return;
      }
      exits.refused(x, asDenial(verdict));
      return;
    }
    exits.passed(x);
  }

  async function waitFor(x: Exchange, pending: Promise<Verdict>, next: number): Promise<void> {
    let verdict: Verdict;
    try {
      verdict = await pending;
    } catch (error) {
      fault(x, error);
      return;
    }
    // While it waited it may have been cut, or its client may have gone: then it was ended elsewhere.
    if (x.phase !== 'judging') return;
    if (verdict === PASS) runFrom(x, next);
    else exits.refused(x, asDenial(verdict));
  }

  function fault(x: Exchange, error: unknown): void {
    if (x.phase === 'judging') exits.faulted(x, error, reasonOfFault(error));
  }

  return {
    run(x) {
      runFrom(x, 0);
    },
  };
}

/** Fail closed: what is neither PASS nor a denial came from a stage that forgot to return. */
function asDenial(verdict: Verdict | null | undefined): Denial {
  return typeof verdict === 'object' && verdict !== null
    ? verdict
    : deny('internal', 'a stage returned no verdict');
}
