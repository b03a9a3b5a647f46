// What the control API calls to ask for access and to decide about it. Each call returns when it is true for traffic: the
// store has committed and, where the last approval made a grant, the cache entry of the tenant is gone. Assumes that the
// caller may act at the stage it names. A refusal or a store that fails leaves nothing done and nothing said. Cold.
import type { AccessRequest } from '#model/access-request.ts';
import type { Actor, Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import { type GrantEvent, grantEvent } from '../grant-authority.ts';
import type { RequestStore } from './request-store.ts';

/** Shaped as the journal's lifecycle events; the details hold no personal value. */
export interface RequestEvent {
  readonly event: 'request.made' | 'request.approved' | 'request.decided';
  readonly tenant: string;
  readonly grant: { readonly id: string; readonly revision: number } | null;
  readonly actor: {
    readonly kind: 'principal' | 'customer' | 'service';
    readonly id: string;
    readonly issuer: string;
    readonly email: string | null;
    readonly name: string | null;
  } | null;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export interface RequestAuthorityDeps {
  readonly store: Pick<RequestStore, 'ask' | 'approve' | 'deny' | 'withdraw'>;
  readonly cache: { invalidate(tenant: TenantId): void };
  /** Called after the cache has forgotten, never waited for; must not throw. */
  readonly onEvent: (event: GrantEvent | RequestEvent) => void;
}

/** As the store's calls, with the same refusals. */
export type RequestAuthority = Pick<RequestStore, 'ask' | 'approve' | 'deny' | 'withdraw'>;

export function createRequestAuthority({ store, cache, onEvent }: RequestAuthorityDeps): RequestAuthority {
  return {
    async ask(wish, asker) {
      const request = await store.ask(wish, asker);
      onEvent(requestEvent('request.made', request, { by: asker, grant: null }));
      return request;
    },
    async approve(id, step) {
      const { request, grant } = await store.approve(id, step);
      const { by } = step;
      if (grant === null) {
        onEvent(requestEvent('request.approved', request, { by, grant }));
        return { request, grant };
      }
      cache.invalidate(grant.tenant);
      onEvent(requestEvent('request.decided', request, { by, grant }));
      onEvent(grantEvent('grant.created', grant, by));
      return { request, grant };
    },
    async deny(id, denial) {
      const request = await store.deny(id, denial);
      onEvent(requestEvent('request.decided', request, { by: denial.by, grant: null }));
      return request;
    },
    async withdraw(id, withdrawal) {
      const request = await store.withdraw(id, withdrawal);
      onEvent(requestEvent('request.decided', request, { by: withdrawal.by, grant: null }));
      return request;
    },
  };
}

interface Doing {
  /** Null: the clock did it. */
  readonly by: Actor | Principal | null;
  readonly grant: Grant | null;
}

export function requestEvent(
  event: RequestEvent['event'],
  request: AccessRequest,
  { by, grant }: Doing,
): RequestEvent {
  const { access, duration } = request.narrowed ?? request.wanted;
  return {
    event,
    tenant: request.tenant,
    grant: grant === null ? null : { id: grant.id, revision: grant.revision },
    actor: by === null ? null : actorOf(by),
    details: {
      request: request.id,
      revision: request.revision,
      status: request.status,
      access,
      duration,
      escalates: request.escalates,
      service: by !== null && 'kind' in by && by.kind === 'service' ? by.id : null,
    },
  };
}

function actorOf(by: Actor | Principal): RequestEvent['actor'] {
  if (!('kind' in by)) return { kind: 'principal', ...personOf(by), issuer: by.issuer };
  const { issuer, onBehalfOf } = by;
  if (by.kind === 'staff') return { kind: 'principal', ...personOf(by), issuer };
  return {
    kind: by.kind === 'service' && onBehalfOf === null ? 'service' : 'customer',
    ...personOf(onBehalfOf ?? by),
    issuer,
  };
}

function personOf({ id, email, name }: Pick<Principal, 'id' | 'email' | 'name'>) {
  return { id, email, name };
}
