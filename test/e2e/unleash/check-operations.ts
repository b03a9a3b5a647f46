// Sends every operation of the OpenAPI document through the gate and holds each decision against the table.
// Reads first, then what makes and changes, deletions last, so that each finds what it names.
import { bodyOf } from './bodies.ts';
import type { Decision, Operation } from './decisions.ts';
import { keyOf } from './decisions.ts';
import type { Gate } from './gate.ts';
import type { Report } from './report.ts';
import type { Seed } from './seed.ts';

const ORDER = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

export interface OperationsDeps {
  readonly gate: Gate;
  readonly seed: Seed;
  readonly report: Report;
}

/** Returns how many were let through. */
export async function checkOperations(
  deps: OperationsDeps,
  operations: readonly Operation[],
  decisions: readonly Decision[],
): Promise<number> {
  const { gate, seed, report } = deps;
  const reviewed = new Map(decisions.map((decision) => [keyOf(decision), decision]));
  const ordered = operations.toSorted((a, b) => ORDER.indexOf(a.method) - ORDER.indexOf(b.method));
  let forwarded = 0;
  for (const operation of ordered) {
    const decision = reviewed.get(keyOf(operation));
    if (decision === undefined) continue;
    const path = seed.pathOf(operation.path);
    const answer = await gate.ask(
      operation.method,
      path,
      operation.takesBody ? { json: bodyOf(operation) } : {},
    );
    const is =
      answer.refusal === null
        ? 'forwarded'
        : `${answer.status} ${answer.refusal.reason} ${answer.refusal.rule}`;
    const should = decision.rule === null ? 'forwarded' : `403 rule_denied ${decision.rule}`;
    report.equal(keyOf(operation), is, should);
    if (answer.refusal === null) forwarded++;
    for (const [name, secret] of seed.secrets) {
      const shown = answer.text.includes(secret) || JSON.stringify(answer.headers).includes(secret);
      if (shown)
        report.check(`${keyOf(operation)} keeps ${name} to itself`, false, `the answer shows ${name}`);
    }
  }
  return forwarded;
}

/**
 * The answers for whose sake a harmless-looking operation is denied. Asked behind the gate, each must still show a
 * secret: it proves that the search above can find one, and tells when a new version makes a rule unnecessary.
 */
export const REVEALING = [
  '/api/admin/user',
  '/api/admin/user-admin',
  '/api/admin/events',
  '/api/admin/search/events',
  '/api/admin/addons/{id}/events',
  '/api/admin/api-tokens',
  '/api/admin/api-tokens/{name}',
  '/api/admin/projects/{projectId}/api-tokens',
  '/api/admin/invite-link/tokens',
  '/api/admin/invite-link/tokens/{token}',
];
