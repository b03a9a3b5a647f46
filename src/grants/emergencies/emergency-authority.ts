// What the control API calls to break the glass: asks and confirms in the store, and says so in the journal. A confirmed
// one is true for traffic when the call returns: the tenant's cache entry is gone. Assumes that the caller is who they
// say they are; the store judges everything else. Cold.
import type { Actor, Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { ConfirmedEmergency, Emergency, EmergencyDraft, EmergencyStore } from './emergency-store.ts';

/** Shaped as the journal's lifecycle events; the details hold no personal value. */
export interface EmergencyEvent {
  readonly event: 'break_glass.asked' | 'break_glass.used';
  readonly tenant: string;
  readonly grant: { readonly id: string; readonly revision: number } | null;
  readonly actor: {
    readonly kind: 'principal';
    readonly id: string;
    readonly issuer: string;
    readonly email: string | null;
    readonly name: string | null;
  };
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export interface EmergencyAuthorityDeps {
  readonly store: EmergencyStore;
  readonly cache: { invalidate(tenant: TenantId): void };
  /** Never waited for; must not throw. */
  readonly onEvent: (event: EmergencyEvent) => void;
}

export interface EmergencyAuthority {
  /** The calls reject with GrantRefusal or STORE_UNAVAILABLE; nothing was done then. */
  ask(draft: EmergencyDraft, by: Actor): Promise<Emergency>;
  confirm(id: string, by: Actor): Promise<ConfirmedEmergency>;
}

export function createEmergencyAuthority(deps: EmergencyAuthorityDeps): EmergencyAuthority {
  const { store, cache, onEvent } = deps;
  return {
    async ask(draft, by) {
      const emergency = await store.ask(draft, by);
      onEvent(emergencyEvent(emergency, null, by));
      return emergency;
    },
    async confirm(id, by) {
      const confirmed = await store.confirm(id, by);
      cache.invalidate(confirmed.grant.tenant);
      onEvent(emergencyEvent(confirmed.emergency, confirmed.grant, by));
      return confirmed;
    },
  };
}

function emergencyEvent(emergency: Emergency, grant: Grant | null, by: Actor): EmergencyEvent {
  const { id, issuer, email, name } = by;
  return {
    event: grant === null ? 'break_glass.asked' : 'break_glass.used',
    tenant: emergency.tenant,
    grant: grant === null ? null : { id: grant.id, revision: grant.revision },
    actor: { kind: 'principal', id, issuer, email, name },
    details: {
      emergency: emergency.id,
      access: emergency.access,
      durationMs: emergency.durationMs,
      responder: emergency.responder !== null,
      expiresAt: grant?.expiresAt ?? null,
    },
  };
}
