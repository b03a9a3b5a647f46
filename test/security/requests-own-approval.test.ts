// The attack: whoever asks for access approves it too, as a lead, as an admin of the customer under another issuer, through
// a service that names them, or by approving twice where two people are asked for. Law 8: the same human is the same
// issuer and id, or the same address in whatever case. The oracle here is written apart from the rules.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Actor, grantCovers } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import { createdGrant } from '#grants/lifecycle.ts';
import {
  approvedRequest,
  approversOf,
  askedRequest,
  grantDraftOf,
  type RequestContext,
} from '#grants/requests/request-rules.ts';
import type { RequestApprovalStep } from '#grants/requests/request-store.ts';
import { START } from '../support/grants-fixtures.ts';
import { WANTED, wish } from '../support/request-fixtures.ts';

const VENDOR = 'https://idp.vendor.example';
const CUSTOMER = 'https://app.example.com';

const ids = fc.constantFrom('sam', 'lea', 'ada', 'sam@vendor.example', 'SAM@vendor.example');
const emails = fc.constantFrom(
  null,
  'sam@vendor.example',
  'Sam@Vendor.example',
  'lea@vendor.example',
  'ada@acme.example',
);
const issuers = fc.constantFrom(VENDOR, CUSTOMER);

const asker: fc.Arbitrary<Principal> = fc.record({
  id: ids,
  issuer: issuers,
  email: emails,
  name: fc.constant(null),
  groups: fc.constant([]),
  org: fc.constant('vendor'),
});
const actor: fc.Arbitrary<Actor> = fc.record({
  kind: fc.constantFrom('tenant_admin', 'tenant_user', 'service', 'system', 'staff', 'security'),
  id: ids,
  issuer: issuers,
  email: emails,
  name: fc.constant(null),
  onBehalfOf: fc.option(fc.record({ id: ids, email: emails, name: fc.constant(null) })),
});
const step: fc.Arbitrary<RequestApprovalStep> = fc.record({
  stage: fc.constantFrom('lead', 'tenant'),
  by: actor,
  narrowing: fc.constantFrom(null, { access: 'read' as const }),
});

interface Names {
  readonly keys: readonly string[];
}

/** Every name under which a person is known; a service is whoever it names. */
function namesOf(who: Pick<Actor, 'id' | 'issuer' | 'email'> & { onBehalfOf?: Actor['onBehalfOf'] }): Names {
  const named = who.onBehalfOf ?? null;
  const { id, email } = named ?? who;
  const issuersOf = named === null ? [who.issuer] : [VENDOR, CUSTOMER];
  const addresses = [email, id.includes('@') ? id : null].filter((one) => one !== null);
  return {
    keys: [...issuersOf.map((issuer) => `${issuer} ${id}`), ...addresses.map((one) => one.toLowerCase())],
  };
}

const isSame = (a: Names, b: Names): boolean => a.keys.some((key) => b.keys.includes(key));

describe('an access request', () => {
  it('never becomes a grant by its asker’s own approval, nor by one person’s two', () => {
    let granted = 0;
    const run = fc.property(
      asker,
      fc.array(step, { maxLength: 12 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 3 }),
      (who, steps, leadFirst, approvals) => {
        const settings = { ...DEFAULT_TENANT_SETTINGS, leadFirst, approvals, liftable: ['export'] };
        const context: RequestContext = { now: START, settings };
        let request = askedRequest(
          { id: 'req_1', draft: wish({ wanted: WANTED }) as never, asker: who, first: null },
          context,
        );
        for (const one of steps) {
          try {
            request = approvedRequest(request, one, context);
          } catch (error) {
            if (!(error instanceof GrantRefusal)) throw error;
          }
        }
        const people = approversOf(request).map(namesOf);
        for (const person of people) expect(isSame(person, namesOf(who))).toBe(false);
        for (const [i, person] of people.entries()) {
          expect(people.some((other, j) => j !== i && isSame(person, other))).toBe(false);
        }
        for (const { by } of request.tenantApprovals) expect(['tenant_admin', 'service']).toContain(by.kind);
        if (request.status !== 'approved') return;
        granted += 1;
        expect(request.tenantApprovals).toHaveLength(approvals);
        expect(request.leadApproval !== null).toBe(leadFirst);
        const by = request.tenantApprovals.at(-1)?.by as Actor;
        const grant = createdGrant('grt_1' as GrantId, grantDraftOf(request, context), {
          now: START,
          settings,
          by,
          ofCase: () => [],
        });
        expect(grantCovers(grant, who)).toBe(true);
        for (const { by: approver } of [
          ...request.tenantApprovals,
          ...(request.leadApproval === null ? [] : [request.leadApproval]),
        ]) {
          const { id, issuer, email } = approver;
          expect(grantCovers(grant, { ...who, id, issuer, email })).toBe(false);
        }
      },
    );
    // About one run in fifty ends in a grant.
    fc.assert(run, { numRuns: 10_000 });
    // Otherwise it would have shown nothing.
    expect(granted).toBeGreaterThan(50);
  });
});
