// What of the grants a caller reaches: the tenant in the path, one grant by its id, a page of them. Assumes that the
// authorisation table has been asked; answers for what is out of reach as if it did not exist.
import type { FastifyRequest } from 'fastify';
import type { GrantQuery, GrantStore } from '#grants/grant-store.ts';
import type { Clock } from '#model/clock.ts';
import type { Grant, GrantStatus } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import { mayReach, requireTenant } from './authorise.ts';
import { type Caller, callerOf } from './caller.ts';
import { grantJson } from './grant-json.ts';
import { DEFAULT_PAGE } from './route.ts';

export interface TenantParams {
  readonly tenant: TenantId;
}

export interface GrantParams {
  readonly id: GrantId;
}

export interface PageQuery {
  readonly status?: GrantStatus;
  readonly limit?: number;
  readonly cursor?: string;
}

export function reachTenant(request: FastifyRequest<{ Params: TenantParams }>): Caller {
  const caller = callerOf(request);
  requireTenant(caller.identity, caller.scope, request.params.tenant);
  return caller;
}

/** A grant of another tenant, or of another user for whoever reaches only their own, is answered like none. */
export async function reachGrant(
  request: FastifyRequest<{ Params: GrantParams }>,
  store: Pick<GrantStore, 'get'>,
): Promise<Grant> {
  const caller = callerOf(request);
  const grant = await store.get(request.params.id);
  if (grant !== null && mayReach(caller.identity, caller.scope, grant.tenant)) {
    const user = ownUser(caller);
    if (user === null || grant.actAs === user) return grant;
  }
  throw new GrantRefusal('grant_unknown', 'Name a grant of your tenant by the id it was created with.');
}

/** The principal whose audience limits the answer; null where the whole tenant may be seen. */
export function coveredOnly({ identity, scope }: Caller): Principal | null {
  if (scope !== 'covering') return null;
  if (identity.kind === 'staff') return identity.principal;
  throw new TypeError('only staff are limited to what covers them');
}

/** The user of the customer who reaches only grants that act as themselves; null for everybody else. */
export function ownUser({ identity, scope }: Caller): string | null {
  if (scope !== 'own_user') return null;
  if (identity.kind === 'customer') return identity.id;
  throw new TypeError('only users of a customer are limited to themselves');
}

export interface PageDeps {
  readonly store: Pick<GrantStore, 'list'>;
  readonly clock: Clock;
}

export async function page(
  { store, clock }: PageDeps,
  { status, limit, cursor }: PageQuery,
  { tenant, caller }: { readonly tenant: TenantId | null; readonly caller: Caller },
): Promise<object> {
  const covering = coveredOnly(caller);
  const actAs = ownUser(caller);
  const query: GrantQuery = {
    tenant,
    limit: limit ?? DEFAULT_PAGE,
    cursor: cursor ?? null,
    ...(status === undefined ? {} : { status }),
    ...(covering === null ? {} : { covering }),
    ...(actAs === null ? {} : { actAs }),
  };
  const { items, nextCursor } = await store.list(query);
  const now = clock.now();
  return { items: items.map((grant) => grantJson(grant, now)), nextCursor };
}
