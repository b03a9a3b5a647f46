// `GET /v1/policy`: which rules are in force, for the vendor's security staff and for services. Reads only: rules are
// changed in files, which have owners and reviews. Cold.
import type { FastifyInstance } from 'fastify';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import type { PolicySource } from '#policy/policy-source.ts';
import { ControlDenial } from './control-problem.ts';
import * as schemas from './schemas.ts';

export interface PolicyRoutesDeps {
  readonly policies: Pick<PolicySource, 'current'>;
}

export function registerPolicyRoutes(app: FastifyInstance, { policies }: PolicyRoutesDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/policy',
    config: { operation: 'policy.read' },
    schema: {
      operationId: 'policy.read',
      summary: 'Read the policy in force',
      response: {
        200: schemas.policyAnswer,
        '4xx': { $ref: 'Problem#' },
        '5xx': { $ref: 'Problem#' },
      },
    },
    handler: async () => policyJson(policies.current),
  });
}

function policyJson(policy: CompiledPolicy | null): object {
  if (policy === null) {
    throw new ControlDenial('policy_unavailable', 'No policy has been loaded; see the log for why.');
  }
  const { digest, ruleCount, contents } = policy;
  return { digest, ruleCount, ...contents };
}
