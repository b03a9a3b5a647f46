// What the policy says of an exchange: read-only, workspace, rule, in this order. The stages ask for one after the
// other; whoever must judge again (a policy that came meanwhile, a reload under open streams) asks for all. Hot.
import { deny, PASS, type Verdict } from '#model/verdict.ts';
import type { CompiledPolicy, RouteFacts, ShadowSink } from '#policy/compiled-policy.ts';
import type { Exchange } from './exchange.ts';

export function judgeAccess(x: Exchange): Verdict {
  if (x.grant === null || x.target === null) return deny('no_grant');
  return x.policy === null ? deny('policy_unavailable') : x.policy.access(x as RouteFacts);
}

export function judgeWorkspace(x: Exchange): Verdict {
  if (x.grant === null || x.target === null) return deny('no_grant');
  return x.policy === null ? deny('policy_unavailable') : x.policy.scope(x as RouteFacts, x);
}

export function judgeRules(x: Exchange): Verdict {
  if (x.grant === null || x.target === null) return deny('no_grant');
  return x.policy === null ? deny('policy_unavailable') : x.policy.evaluate(x as RouteFacts, x);
}

/** Under another policy than the exchange's own; nothing of the exchange changes. */
export function judgeUnder(policy: CompiledPolicy, x: Exchange): Verdict {
  const ignored: ShadowSink = { shadowRules: [], wantsBody: false };
  const access = policy.access(x as RouteFacts);
  if (access !== PASS) return access;
  const { workspace } = x;
  // The rules of that policy are about the workspace that its own maps find.
  const scope = policy.scope(x as RouteFacts, x);
  const verdict = scope === PASS ? policy.evaluate(x as RouteFacts, ignored) : scope;
  x.workspace = workspace;
  return verdict;
}
