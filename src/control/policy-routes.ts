// `GET /v1/policy` and `POST /v1/policy/explain`: which rules are in force, and why a request would be decided so, for the
// vendor's security staff and for services. Reads only: rules are changed in files, which have owners and reviews. A
// described request goes nowhere, and neither its headers nor its body come back. Cold.
import type { FastifyInstance } from 'fastify';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import type { PolicySource } from '#policy/policy-source.ts';
import { ControlDenial } from './control-problem.ts';
import * as schemas from './policy-schemas.ts';
import { route } from './route.ts';

/** The body of an explanation, as its schema lets it through. */
export interface DescribedCall {
  readonly method: string;
  /** Path and query, as they would stand in the request line. */
  readonly target: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly upgrade?: boolean;
  readonly tenantClass?: string;
  /** Left out: it is not known what is granted, and a rule that depends on it holds. */
  readonly grant?: {
    readonly access?: 'read' | 'write';
    readonly roles?: readonly string[];
    readonly lifts?: readonly string[];
  };
}

export interface PolicyRoutesDeps {
  readonly policies: Pick<PolicySource, 'current'>;
  /** What the gate would decide by these rules, in the words of `explainedAnswer`. Absent: nobody explains. */
  readonly explain?: (policy: CompiledPolicy, call: DescribedCall) => Promise<object>;
}

export function registerPolicyRoutes(app: FastifyInstance, { policies, explain }: PolicyRoutesDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/policy',
    ...route('policy.read', 'Read the policy in force', { response: { 200: schemas.policyAnswer } }),
    handler: async () => policyJson(inForce(policies)),
  });
  if (explain === undefined) return;
  app.route<{ Body: DescribedCall }>({
    method: 'POST',
    url: '/v1/policy/explain',
    ...route('policy.explain', 'Why a request would be decided so, by the policy in force', {
      body: schemas.explainBody,
      response: { 200: schemas.explainedAnswer },
    }),
    handler: async (request) => explain(inForce(policies), request.body),
  });
}

function inForce({ current }: PolicyRoutesDeps['policies']): CompiledPolicy {
  if (current !== null) return current;
  throw new ControlDenial('policy_unavailable', 'No policy has been loaded; see the log for why.');
}

function policyJson({ digest, ruleCount, contents }: CompiledPolicy): object {
  return { digest, ruleCount, ...contents };
}
