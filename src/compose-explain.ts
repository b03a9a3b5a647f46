// `POST /v1/policy/explain`, joined: the policy's own judgement of a described request, read by the gateway's one reading of
// a target. Guarantees: nothing is executed, sent or kept. Cold.
import type { DescribedCall, PolicyRoutesDeps } from '#control/policy-routes.ts';
import { parseTarget } from '#gateway/request-target.ts';
import type { Clock } from '#model/clock.ts';
import { decisionJson, explainDecision } from '#policy/explained.ts';
import type { JudgedSubject } from '#policy/judge.ts';
import { PLAIN_GRANT } from '#policy/policy-test.ts';

export function policyExplainer(clock: Pick<Clock, 'now'>): NonNullable<PolicyRoutesDeps['explain']> {
  return async (policy, call) => {
    const judge = { policy, parseTarget, now: clock.now() };
    return decisionJson(
      await explainDecision(judge, subjectOf(call), {
        method: call.method,
        rawTarget: call.target,
        host: call.host ?? '',
        headers: linesOf(call.headers ?? {}),
        body: Buffer.from(call.body ?? ''),
        upgrade: call.upgrade === true,
      }),
    );
  };
}

function subjectOf({ grant, tenantClass }: DescribedCall): JudgedSubject {
  return {
    grant: grant === undefined ? null : { ...PLAIN_GRANT, ...grant },
    credential: null,
    tenant: null,
    tenantClass: tenantClass ?? null,
  };
}

/** By name in lower case; two spellings of one name are one header of several lines. */
function linesOf(headers: NonNullable<DescribedCall['headers']>): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    lines.set(key, [...(lines.get(key) ?? []), ...[value].flat()]);
  }
  return lines;
}
