// What the journal is told when a session was opened or has ended. Shaped as its lifecycle events; the details hold no
// personal value and no free text. Pure and cold.
import type { Actor } from '#model/grant.ts';
import type { SupportSession } from '#model/session.ts';

export interface SessionEvent {
  readonly event: 'session.started' | 'session.ended';
  readonly tenant: string;
  readonly grant: null;
  readonly actor: {
    readonly kind: 'principal' | 'customer' | 'service';
    readonly id: string;
    readonly issuer: string;
    readonly email: string | null;
    readonly name: string | null;
  } | null;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export function startedEvent(session: SupportSession, replaced: SupportSession | null): SessionEvent {
  const { id, issuer, email, name } = session.principal;
  return {
    event: 'session.started',
    tenant: session.tenant,
    grant: null,
    actor: { kind: 'principal', id, issuer, email, name },
    details: {
      session: session.id,
      grant: session.grantId,
      access: session.access,
      caseRef: session.caseRef,
      reasonType: session.reason.type,
      endsAt: session.endsAt,
      replaced: replaced?.id ?? null,
    },
  };
}

/** `by` null: the clock, or the end of the grant. */
export function endedEvent(session: SupportSession, by: Actor | null): SessionEvent {
  return {
    event: 'session.ended',
    tenant: session.tenant,
    grant: null,
    actor: by === null ? null : actorOf(by),
    details: {
      session: session.id,
      grant: session.grantId,
      endedBy: session.endedBy,
      startedAt: session.startedAt,
      endedAt: session.endedAt,
      hasNote: session.note !== null,
      service: by?.kind === 'service' ? by.id : null,
    },
  };
}

function actorOf(by: Actor): NonNullable<SessionEvent['actor']> {
  const { id, email, name } = by.onBehalfOf ?? by;
  return { kind: kindOf(by), id, issuer: by.issuer, email, name };
}

function kindOf({ kind, onBehalfOf }: Actor): 'principal' | 'customer' | 'service' {
  if (kind === 'staff' || kind === 'security') return 'principal';
  return onBehalfOf !== null || kind === 'tenant_admin' || kind === 'tenant_user' ? 'customer' : 'service';
}
