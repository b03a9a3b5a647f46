// Changes of grants inside a transaction that may do more than that: the switch, an approved request, an emergency. Each
// runs the lifecycle rules, writes row, history and notice, and returns the grant as stored, frozen. Throws GrantRefusal.
import type { Actor, Grant } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import { grantNotice } from '../grant-notice.ts';
import type { GrantLimits } from '../grant-limits.ts';
import type { GrantDraft, GrantPatch } from '../grant-store.ts';
import { changedGrant, createdGrant, revokedGrant } from '../lifecycle.ts';
import { type GrantRow, grantOf, rowOf } from './grant-rows.ts';
import { addNotice } from './notices.ts';
import type { Statements } from './statements.ts';
import type { Transaction } from './store-core.ts';

/** What is allowed for a tenant, read in the same transaction. */
export type LimitsSource = (statements: Statements, tenant: TenantId) => GrantLimits;

export interface GrantWrites {
  create(tx: Transaction, draft: GrantDraft, by: Actor): Grant;
  change(tx: Transaction, id: GrantId, patch: GrantPatch, by: Actor): Grant;
  /** Idempotent: revoking a revoked grant returns it unchanged. */
  revoke(tx: Transaction, id: GrantId, by: Actor): Grant;
}

export function createGrantWrites(limitsOf: LimitsSource): GrantWrites {
  return {
    create(tx, draft, by) {
      const limits = limitsOf(tx.statements, draft.tenant);
      const id = tx.nextId('grt') as GrantId;
      const grant = createdGrant(id, draft, { now: tx.now, limits, by });
      return record(tx, grant, { operation: 'create', by });
    },
    change(tx, id, patch, by) {
      const before = existingGrant(tx.statements, id);
      const limits = limitsOf(tx.statements, before.tenant);
      const after = changedGrant(before, patch, { now: tx.now, limits, by });
      return after === before ? before : record(tx, after, { operation: 'change', by });
    },
    revoke(tx, id, by) {
      const before = existingGrant(tx.statements, id);
      const after = revokedGrant(before, { now: tx.now, by });
      return after === before ? before : record(tx, after, { operation: 'revoke', by });
    },
  };
}

const NOTICE_OF = { create: 'grant.given', change: 'grant.changed', revoke: 'grant.revoked' } as const;

interface Stamp {
  readonly operation: keyof typeof NOTICE_OF;
  readonly by: Actor;
}

function record(tx: Transaction, after: Grant, { operation, by }: Stamp): Grant {
  const { statements } = tx;
  (operation === 'create' ? statements.insert : statements.update).run(rowOf(after));
  tx.changed({ kind: 'grant', id: after.id, tenant: after.tenant, operation, by, document: after });
  addNotice(tx, grantNotice(NOTICE_OF[operation], after, by));
  // Read back rather than handed through: the caller gets what is stored, frozen, and nothing of its own.
  return existingGrant(statements, after.id);
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
