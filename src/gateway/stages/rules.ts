// The deny rules, under the policy in force. Last of the checks of authority: a rule sees who asks, under which grant
// and for what. A policy that came while the request waited (for keys, grants or its own body) counts, and then its
// route settings, its read-only routes and its scope maps count too.
import { PASS, type Verdict } from '#model/verdict.ts';
import type { PolicySource } from '#policy/policy-source.ts';
import type { Exchange } from '../exchange.ts';
import { holdForShadow, judgeWithBody } from '../held-body.ts';
import { judgeAccess, judgeRules, judgeWorkspace } from '../policy-judgement.ts';
import type { Stage } from '../stage.ts';
import type { RouteSettingsStage } from './route-settings.ts';

/** `routeSettings` reads the policy; it is asked again where another one is in force by now. */
export function rulesStage(policies: PolicySource, routeSettings: RouteSettingsStage): Stage {
  function judge(x: Exchange): Verdict {
    if (x.policy !== policies.current) {
      const again = judgeAnew(x);
      if (again !== PASS) return again;
    }
    return judgeRules(x);
  }

  function judgeAnew(x: Exchange): Verdict {
    const settings = routeSettings.run(x);
    if (settings !== PASS) return settings;
    const access = judgeAccess(x);
    return access === PASS ? judgeWorkspace(x) : access;
  }

  async function judgeForShadow(x: Exchange): Promise<Verdict> {
    return (await holdForShadow(x)) ?? judge(x);
  }

  return {
    name: 'rules',
    run(x) {
      const verdict = judgeWithBody(x, judge);
      return verdict === PASS && x.wantsBody && x.body === null ? judgeForShadow(x) : verdict;
    },
  };
}
