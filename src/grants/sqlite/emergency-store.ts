// The embedded EmergencyStore: what was asked for as a document, and the grant of a confirmed one in the very transaction
// that confirms it. The settings and the locks that forbid it are read there too, so that none can come between. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { Grant } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Actor } from '#model/grant.ts';
import {
  askedEmergency,
  confirmedEmergency,
  type EmergencyContext,
  emergencyGrant,
  emergencyNotice,
  requireNonePending,
} from '../emergencies/emergency-rules.ts';
import type { Emergency, EmergencyQuery, EmergencyStore } from '../emergencies/emergency-store.ts';
import type { Page } from '../grant-store.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { frozen, rowOf } from './grant-rows.ts';
import { existingGrant } from './grant-writes.ts';
import { heldLocks } from './lock-store.ts';
import { addNotice } from './notices.ts';
import type { SettingsSource } from './settings-source.ts';
import type { Statements } from './statements.ts';
import type { StoreCore, Transaction } from './store-core.ts';

const MAX_PAGE = 500;

const ADD = `INSERT INTO emergencies (id, tenant, pending, created_at, lapses_at, document)
  VALUES (:id, :tenant, 1, :createdAt, :lapsesAt, :document)`;
const CONFIRM = 'UPDATE emergencies SET pending = 0, document = :document WHERE id = :id';
const BY_ID = 'SELECT document FROM emergencies WHERE id = ?';
const PENDING = 'SELECT document FROM emergencies WHERE tenant = ? AND pending = 1 AND lapses_at > ?';
const BEFORE = `(created_at, id) < (:createdAt, :id) ORDER BY created_at DESC, id DESC LIMIT :limit`;
const PAGE = {
  all: `SELECT document FROM emergencies WHERE ${BEFORE}`,
  pending: `SELECT document FROM emergencies WHERE pending = 1 AND lapses_at > :now AND ${BEFORE}`,
} as const;

interface EmergencyRow {
  readonly document: string;
}

/** `securityGroups` are told of what was asked for. */
export function createEmergencyStore(
  core: StoreCore,
  settingsOf: SettingsSource,
  securityGroups: readonly string[] = [],
): EmergencyStore {
  function contextOf({ statements, now }: Transaction, tenant: TenantId, by: Actor): EmergencyContext {
    return { now, by, settings: settingsOf(statements, tenant), locks: heldLocks(statements, now) };
  }

  return {
    ask: (draft, by) =>
      core.write((tx) => {
        const context = contextOf(tx, draft.tenant, by);
        const emergency = askedEmergency(tx.nextId('emg'), draft, context);
        requireNonePending(pendingOf(tx, draft.tenant), context);
        const { id, tenant, createdAt, lapsesAt } = emergency;
        tx.statements.sql(ADD).run({ id, tenant, createdAt, lapsesAt, document: JSON.stringify(emergency) });
        tx.changed({ kind: 'emergency', id, tenant, operation: 'ask', by, document: emergency });
        addNotice(tx, emergencyNotice('break_glass.asked', emergency, by, securityGroups));
        return existingEmergency(tx.statements, id);
      }),
    confirm: (id, by) =>
      core.write((tx) => {
        const before = existingEmergency(tx.statements, id);
        const { tenant } = before;
        const context = contextOf(tx, tenant, by);
        const emergency = confirmedEmergency(before, tx.nextId('grt') as GrantId, context);
        tx.statements.sql(CONFIRM).run({ id, document: JSON.stringify(emergency) });
        tx.changed({ kind: 'emergency', id, tenant, operation: 'confirm', by, document: emergency });
        const grant = addGrant(tx, emergencyGrant(emergency), by);
        addNotice(tx, emergencyNotice('break_glass.used', emergency, by));
        return { emergency: existingEmergency(tx.statements, id), grant };
      }),
    get: (id) => core.read((statements) => emergencyById(statements, id)),
    async list(query) {
      return core.read(pageReader(query, core.clock.now()));
    },
  };
}

/** Beside the lifecycle's ways of creating one, with history, and without their notice: this one has its own. */
function addGrant(tx: Transaction, grant: Grant, by: Actor): Grant {
  tx.statements.insert.run(rowOf(grant));
  const { id, tenant } = grant;
  tx.changed({ kind: 'grant', id, tenant, operation: 'create', by, document: grant });
  return existingGrant(tx.statements, id);
}

function pendingOf({ statements, now }: Transaction, tenant: TenantId): readonly Emergency[] {
  return (statements.sql(PENDING).all(tenant, now) as unknown as EmergencyRow[]).map(emergencyOf);
}

function emergencyById(statements: Statements, id: string): Emergency | null {
  const row = statements.sql(BY_ID).get(id) as unknown as EmergencyRow | undefined;
  return row === undefined ? null : emergencyOf(row);
}

function existingEmergency(statements: Statements, id: string): Emergency {
  const emergency = emergencyById(statements, id);
  if (emergency !== null) return emergency;
  throw new GrantRefusal('emergency_unknown', 'Name one by the id that was given when it was asked for.');
}

function emergencyOf({ document }: EmergencyRow): Emergency {
  return frozen(JSON.parse(document) as Emergency);
}

/** Checks the query before the store is touched. */
function pageReader(query: EmergencyQuery, now: EpochMs): (statements: Statements) => Page<Emergency> {
  const { status, limit } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw new RangeError('limit must be 1 to 500');
  const { createdAt, id } = decodeCursor(query.cursor, 'emg');
  return (statements) => {
    const values = { now, createdAt, id, limit: limit + 1 };
    const rows = statements.sql(PAGE[status]).all(values) as unknown as EmergencyRow[];
    const items = rows.slice(0, limit).map(emergencyOf);
    const last = items.at(-1);
    return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last) : null };
  };
}
