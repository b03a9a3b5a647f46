// The deny rules, under the policy this exchange began with. Last of the checks of authority: a rule sees who asks,
// under which grant and for what.
import { deny, PASS, type Verdict } from '#model/verdict.ts';
import type { CompiledPolicy, RouteFacts } from '#policy/compiled-policy.ts';
import type { Exchange } from '../exchange.ts';
import { holdForm, mayClaimMethod } from '../held-form.ts';
import type { Stage } from '../stage.ts';

export const rulesStage: Stage = {
  name: 'rules',
  run(x) {
    const { policy } = x;
    if (policy === null || x.target === null) return deny('policy_unavailable');
    // What the request line alone denies needs no body.
    const verdict = policy.evaluate(x as RouteFacts, x);
    if (verdict !== PASS || !mayClaimMethod(x) || !policy.needsFormMethod(x as RouteFacts)) return verdict;
    return evaluateWithForm(x, policy);
  },
};

async function evaluateWithForm(x: Exchange, policy: CompiledPolicy): Promise<Verdict> {
  const form = await holdForm(x);
  if ('reason' in form) return form;
  x.heldBody = form.body;
  x.bytesIn = form.body.length;
  x.formMethods = form.methods;
  return form.methods.length === 0 ? PASS : policy.evaluate(x as RouteFacts, x);
}
