// Changes of grants inside a transaction that may do more than that: the switch, an approved request, an emergency. Each
// runs the lifecycle rules, writes row, history and notice, and returns the grant as stored, frozen. Throws GrantRefusal.
import { type Actor, type Grant, recordedActor } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import type { CasePeriod } from '../grant-limits.ts';
import { grantNotice } from '../grant-notice.ts';
import type { GrantDraft, GrantPatch } from '../grant-store.ts';
import {
  changedGrant,
  createdGrant,
  type LifecycleContext,
  revokedGrant,
  verifiedGrant,
} from '../lifecycle.ts';
import type { StaffIssuer } from '../staff-reach.ts';
import { type GrantRow, grantOf, periodOf, rowOf } from './grant-rows.ts';
import { addNotice } from './notices.ts';
import type { SettingsSource } from './settings-source.ts';
import type { Statements } from './statements.ts';
import type { Transaction } from './store-core.ts';

export interface GrantWrites {
  create(tx: Transaction, draft: GrantDraft, by: Actor): Grant;
  change(tx: Transaction, id: GrantId, patch: GrantPatch, by: Actor): Grant;
  /** Idempotent: revoking a revoked grant returns it unchanged. */
  revoke(tx: Transaction, id: GrantId, by: Actor): Grant;
  /** Idempotent likewise. `lead` is known to be a lead of the vendor's; the rules ask whether they are its user. */
  verify(tx: Transaction, verification: GrantVerification): Grant;
}

export interface GrantVerification {
  readonly id: GrantId;
  readonly lead: Principal;
  readonly expectedRevision?: number | undefined;
}

/**
 * `staff`: who of the vendor could enter at all; none named: nobody has said. `leadGroups` are told of what awaits the
 * vendor's verification.
 */
export function createGrantWrites(
  settingsOf: SettingsSource,
  staff: readonly StaffIssuer[] = [],
  leadGroups: readonly string[] = [],
): GrantWrites {
  function contextOf({ statements, now }: Transaction, tenant: TenantId, by: Actor): LifecycleContext {
    const settings = settingsOf(statements, tenant);
    return { now, settings, by, staff, ofCase: (caseRef) => grantsOfCase(statements, tenant, caseRef) };
  }
  return {
    create(tx, draft, by) {
      const id = tx.nextId('grt') as GrantId;
      const grant = createdGrant(id, draft, contextOf(tx, draft.tenant, by));
      return record(tx, grant, { operation: 'create', by, leadGroups });
    },
    change(tx, id, patch, by) {
      const before = existingGrant(tx.statements, id);
      const after = changedGrant(before, patch, contextOf(tx, before.tenant, by));
      return after === before ? before : record(tx, after, { operation: 'change', by, leadGroups });
    },
    revoke(tx, id, by) {
      const before = existingGrant(tx.statements, id);
      const after = revokedGrant(before, { now: tx.now, by });
      return after === before ? before : record(tx, after, { operation: 'revoke', by, leadGroups });
    },
    verify(tx, { id, lead, expectedRevision }) {
      const before = existingGrant(tx.statements, id);
      const after = verifiedGrant(before, { now: tx.now, lead, expectedRevision });
      const by = after.verification?.by ?? null;
      if (after === before || by === null) return before;
      return record(tx, after, { operation: 'verify', by, leadGroups });
    },
  };
}

/** One case, however it is written: its time would start anew under another spelling. */
const OF_CASE = `SELECT id, starts_at, ends_at, revoked_at FROM grants
  WHERE tenant = :tenant AND lower(trim(case_ref)) = lower(trim(:caseRef))`;

function grantsOfCase(statements: Statements, tenant: TenantId, caseRef: string): readonly CasePeriod[] {
  const rows = statements.sql(OF_CASE).all({ tenant, caseRef }) as unknown as Pick<
    GrantRow,
    'id' | 'starts_at' | 'ends_at' | 'revoked_at'
  >[];
  return rows.map(periodOf);
}

const NOTICE_OF = {
  create: 'grant.given',
  change: 'grant.changed',
  revoke: 'grant.revoked',
  verify: 'grant.verified',
} as const;

interface Stamp {
  readonly operation: keyof typeof NOTICE_OF;
  readonly by: Actor;
  readonly leadGroups: readonly string[];
}

function record(tx: Transaction, after: Grant, { operation, by, leadGroups }: Stamp): Grant {
  const { statements } = tx;
  (operation === 'create' ? statements.insert : statements.update).run(rowOf(after));
  const { id, tenant } = after;
  tx.changed({ kind: 'grant', id, tenant, operation, by: recordedActor(by), document: after });
  addNotice(tx, grantNotice(NOTICE_OF[operation], after, by, leadGroups));
  // Read back rather than handed through: the caller gets what is stored, frozen, and nothing of its own.
  return existingGrant(statements, id);
}

export function grantById({ byId }: Statements, id: GrantId): Grant | null {
  const row = byId.get(id) as unknown as GrantRow | undefined;
  return row === undefined ? null : grantOf(row);
}

/** Throws GrantRefusal `grant_unknown`. */
export function existingGrant(statements: Statements, id: GrantId): Grant {
  const grant = grantById(statements, id);
  if (grant === null) throw new GrantRefusal('grant_unknown', 'Name a grant by the id it was created with.');
  return grant;
}
