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
    return x.policy === policies.current ? judgeRules(x) : judgeAnew(x);
  }

  /** Also once the body has come that it asked for: what the earlier stages passed, they passed under another policy. */
  function judgeAnew(x: Exchange): Verdict {
    if (x.policy !== policies.current) {
      const settings = routeSettings.run(x);
      if (settings !== PASS) return settings;
    }
    const access = judgeAccess(x);
    if (access !== PASS) return access;
    const workspace = judgeWorkspace(x);
    return workspace === PASS ? judgeRules(x) : workspace;
  }

  async function judgeForShadow(x: Exchange): Promise<Verdict> {
    return (await holdForShadow(x)) ?? judge(x);
  }

  return {
    name: 'rules',
    run(x) {
      const verdict = judgeWithBody(x, x.policy === policies.current ? judge : judgeAnew);
      return verdict === PASS && x.wantsBody && x.body === null ? judgeForShadow(x) : verdict;
    },
  };
}

/**
 * What is sent upstream may have to be waited for too (a signature, a secret): a policy that came then counts as well,
 * though the rules have passed the request.
 */
export function policyInForceStage(policies: PolicySource, rules: Stage): Stage {
  return {
    name: 'policy-in-force',
    run: (x) => (x.policy === policies.current ? PASS : rules.run(x)),
  };
}
