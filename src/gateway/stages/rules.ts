// The deny rules, under the policy in force. Last of the checks of authority: a rule sees who asks, under which grant
// and for what. A policy that came while the request waited (for keys, grants or its own body) counts.
import { deny, PASS, type Verdict } from '#model/verdict.ts';
import type { RouteFacts } from '#policy/compiled-policy.ts';
import type { PolicySource } from '#policy/policy-source.ts';
import type { Exchange } from '../exchange.ts';
import { holdForm, mayClaimMethod } from '../held-form.ts';
import type { Stage } from '../stage.ts';
import type { RouteSettingsStage } from './route-settings.ts';

/** `routeSettings` reads the policy; it is asked again where another one is in force by now. */
export function rulesStage(policies: PolicySource, routeSettings: RouteSettingsStage): Stage {
  function judge(x: Exchange): Verdict {
    if (x.policy !== policies.current) {
      const settings = routeSettings.run(x);
      if (settings !== PASS) return settings;
    }
    const { policy } = x;
    if (policy === null || x.target === null) return deny('policy_unavailable');
    return policy.evaluate(x as RouteFacts, x);
  }

  async function judgeWithForm(x: Exchange): Promise<Verdict> {
    const form = await holdForm(x);
    if ('reason' in form) return form;
    x.heldBody = form.body;
    x.bytesIn = form.body.length;
    x.formMethods = form.methods;
    return judge(x);
  }

  return {
    name: 'rules',
    run(x) {
      // What the request line alone denies needs no body.
      const verdict = judge(x);
      if (verdict !== PASS || !mayClaimMethod(x)) return verdict;
      return x.policy?.needsFormMethod(x as RouteFacts) === true ? judgeWithForm(x) : PASS;
    },
  };
}
