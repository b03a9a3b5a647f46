// Who of the customer may give access under a tenant's settings, and who may change or end what was given. Law 8: the
// kinds that consent are listed, not excluded; an actor of a kind nobody thought of, support staff above all, consents to
// nothing. Every refusal names the policy. Pure; run inside the store's transaction. Cold.
import type { Actor, Grant, GrantorFacts } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantorRule } from '#model/tenant-settings.ts';

const HOLDS_NOTHING: GrantorFacts = Object.freeze({
  permissions: Object.freeze([]),
  products: Object.freeze([]),
});

/**
 * For a new consent: a person of the customer whom the rule lets grant, or the system by the tenant's own settings. A
 * service answers for the person it names being an admin, and for what it says they hold. A user acts as themselves
 * (`actAs`), or grants nothing. Throws GrantRefusal.
 */
export function requireGrantor(by: Actor, actAs: string | null, rule: GrantorRule): void {
  if (by.kind === 'system') return;
  requirePerson(by);
  const isUser = by.kind === 'tenant_user';
  const holds = by.holds ?? HOLDS_NOTHING;
  switch (rule.kind) {
    case 'nobody':
      throw new GrantRefusal(
        'policy_nobody',
        'The policy of this tenant is that nobody grants support access.',
      );
    case 'admins':
      if (!isUser) return requireLicence(rule.product, holds);
      throw new GrantRefusal(
        'policy_admins',
        'The policy of this tenant is that only its admins grant access.',
      );
    case 'permission':
      if (!isUser && holds.permissions.includes(rule.permission)) return requireLicence(rule.product, holds);
      throw new GrantRefusal(
        'policy_permission',
        `The policy of this tenant is that only admins with the permission ${rule.permission} grant access.`,
      );
    case 'licensed_users':
      requireLicence(rule.product, holds);
      break;
    case 'users':
      break;
  }
  if (isUser && actAs !== by.id) {
    throw new GrantRefusal(
      'policy_own_user',
      'The policy of this tenant is that users grant access only to act as themselves: name your own id in `actAs`.',
    );
  }
}

/** Undefined: the rule asks for none. */
function requireLicence(product: string | undefined, { products }: GrantorFacts): void {
  if (product === undefined || products.includes(product)) return;
  throw new GrantRefusal(
    'policy_licence',
    `The policy of this tenant is that only users with a licence of ${product} grant access.`,
  );
}

function requirePerson(by: Actor): void {
  if (by.kind === 'tenant_admin' || by.kind === 'tenant_user') return;
  if (by.kind === 'service' && by.onBehalfOf !== null) return;
  throw new GrantRefusal(
    'consent_required',
    'A person of the tenant, or a service on behalf of a named one, may create, extend or widen a grant; a service without one may only shorten, narrow or revoke it.',
  );
}

/** For what takes access away: everybody of the customer's side, a user only of what acts as themselves. Throws GrantRefusal. */
export function requireOwnSide(by: Actor, grant: Pick<Grant, 'actAs' | 'source'>): void {
  switch (by.kind) {
    case 'tenant_admin':
    case 'service':
    case 'system':
      return;
    case 'tenant_user':
      if (grant.actAs === by.id) return;
      throw new GrantRefusal(
        'policy_own_user',
        'A user changes and revokes only grants that act as themselves.',
      );
    case 'security':
      if (grant.source === 'break_glass') return;
  }
  throw new GrantRefusal('consent_required', 'Only the customer’s side changes or revokes a grant.');
}
