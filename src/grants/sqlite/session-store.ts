// Support sessions in the one SQLite file. Implements the sessions room's contract (its session-store.ts) by shape alone:
// no room imports another; the composition joins them, and test/contract/session-store.ts holds both together. Each change
// writes session, history and notice in one transaction; the rules of opening are handed in and run inside it. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { Actor } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { SessionId, TenantId } from '#model/ids.ts';
import { lockFor } from '#model/lock.ts';
import type { Principal } from '#model/principal.ts';
import { newSecret } from '#model/secret-hash.ts';
import { sessionOverAt, type SupportSession } from '#model/session.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import { grantById } from './grant-writes.ts';
import { heldLocks } from './lock-store.ts';
import { addNotice } from './notices.ts';
import { endSession, type SessionEnd } from './session-ends.ts';
import { sessionNarrowing, type SessionNarrowing } from './session-narrowing.ts';
import { sessionReads, type SessionReads } from './session-reads.ts';
import { sessionReports, type SessionReports, type StoredReport } from './session-reports.ts';
import {
  addSession,
  replaceSession,
  SESSION_COLUMNS,
  sessionById,
  type SessionRow,
  sessionOf,
} from './session-rows.ts';
import { startedNotice } from './session-notices.ts';
import { sessionSweep, type SessionSweep } from './session-sweep.ts';
import type { Statements } from './statements.ts';
import type { StoreCore, Transaction } from './store-core.ts';
import { createViewReader, type TenantViewDeps, type ViewReader } from './tenant-view.ts';

interface Opening {
  readonly tenant: TenantId;
  readonly principal: Principal;
  readonly launch: { readonly hash: string; readonly lifetimeMs: number } | null;
}

type Maker = (view: TenantView, stamp: { readonly id: SessionId; readonly now: EpochMs }) => SupportSession;

interface SessionWrites {
  open(
    opening: Opening,
    make: Maker,
  ): Promise<{ readonly session: SupportSession; readonly replaced: SupportSession | null }>;
  end(
    id: SessionId,
    end: SessionEnd,
  ): Promise<{ readonly session: SupportSession; readonly isNews: boolean }>;
  takeLaunch(hash: string, tenant: TenantId, cookieHash: string): Promise<SupportSession | null>;
  launchOf(hash: string, tenant: TenantId): Promise<SupportSession | null>;
  sealKey(): Promise<string>;
  touch(uses: readonly { readonly id: SessionId; readonly at: EpochMs }[]): Promise<void>;
}

interface SessionChangeSeen {
  readonly kind: 'session' | 'grant' | 'settings';
  readonly id: string;
  readonly tenant: TenantId | null;
  readonly elsewhere: boolean;
}

export interface SqliteSessionStore<Report extends StoredReport>
  extends SessionWrites,
    SessionReads,
    SessionNarrowing,
    SessionSweep,
    SessionReports<Report> {
  watch(onChange: (change: SessionChangeSeen) => void, onGap: () => void): Disposable;
}

const OPEN_OF_PRINCIPAL = `SELECT ${SESSION_COLUMNS} FROM sessions s
  WHERE s.tenant = :tenant AND s.principal_issuer = :issuer AND s.principal_id = :id AND s.ended_at IS NULL`;
const ADD_LAUNCH = 'INSERT INTO launch_links (hash, session, ends_at) VALUES (:hash, :session, :endsAt)';
const FORGET_LAUNCHES = 'DELETE FROM launch_links WHERE ends_at < ?';
const LAUNCH_HOLDS = `hash = :hash AND used_at IS NULL AND ends_at > :now
  AND session IN (SELECT id FROM sessions WHERE tenant = :tenant AND ended_at IS NULL)`;
const TAKE_LAUNCH = `UPDATE launch_links SET used_at = :now WHERE ${LAUNCH_HOLDS} RETURNING session`;
const LAUNCH_OF = `SELECT session FROM launch_links WHERE ${LAUNCH_HOLDS}`;
const SET_COOKIE = `UPDATE sessions SET cookie_hash = :cookieHash, last_used_at = max(last_used_at, :now)
  WHERE id = :id AND ended_at IS NULL`;
const TOUCH = `UPDATE sessions SET last_used_at = max(last_used_at, :at) WHERE id = :id AND ended_at IS NULL`;
const SEAL_KEY = "SELECT value FROM store_secrets WHERE name = 'session-seal'";
const ADD_SEAL_KEY = `INSERT INTO store_secrets (name, value) VALUES ('session-seal', :value)
  ON CONFLICT (name) DO NOTHING`;
/** Links die within a minute; their hashes are kept a little longer, and say nothing. */
const KEEP_LAUNCH_MS = 3_600_000;

export function createSessionStore<Report extends StoredReport>(
  core: StoreCore,
  deps: TenantViewDeps,
): SqliteSessionStore<Report> {
  return {
    ...sessionWrites(core, createViewReader(deps)),
    ...sessionReads(core),
    ...sessionNarrowing(core),
    ...sessionSweep(core, deps),
    ...sessionReports<Report>(core),
    watch: (onChange, onGap) =>
      core.watch(({ kind, id, tenant, elsewhere }) => {
        if (kind === 'session' || kind === 'grant' || kind === 'settings')
          onChange({ kind, id, tenant, elsewhere });
      }, onGap),
  };
}

function sessionWrites(core: StoreCore, viewOf: ViewReader): SessionWrites {
  return {
    open: (opening, make) => core.write((tx) => open(tx, viewOf, opening, make)),
    end: (id, end) => core.write((tx) => endOne(tx, id, end)),
    launchOf: (hash, tenant) =>
      core.read((statements) => launched(statements, LAUNCH_OF, { hash, tenant, now: core.clock.now() })),
    takeLaunch: (hash, tenant, cookieHash) =>
      core.write((tx) => {
        const { now, statements } = tx;
        // The link of a session that the clock has ended is spent all the same.
        const session = launched(statements, TAKE_LAUNCH, { hash, tenant, now });
        if (session === null) return null;
        const { id } = session;
        statements.sql(SET_COOKIE).run({ id, cookieHash, now });
        const by = principalActor(session);
        tx.changed({ kind: 'session', id, tenant, operation: 'enter', by, document: session });
        return sessionById(statements, id);
      }),
    async sealKey() {
      const known = await core.read(({ sql }) => sql(SEAL_KEY).get());
      if (known !== undefined) return String(known['value']);
      return core.write(({ statements }) => {
        // Another process may have been first: its key counts.
        statements.sql(ADD_SEAL_KEY).run({ value: newSecret() });
        return String(statements.sql(SEAL_KEY).get()?.['value']);
      });
    },
    async touch(uses) {
      if (uses.length === 0) return;
      await core.write(({ statements }) => {
        for (const { id, at } of uses) statements.sql(TOUCH).run({ id, at });
      });
    },
  };
}

function open(
  tx: Transaction,
  viewOf: ViewReader,
  { tenant, principal, launch }: Opening,
  make: Maker,
): { readonly session: SupportSession; readonly replaced: SupportSession | null } {
  const { statements, now } = tx;
  const session = make(viewOf(statements, tenant, now), { id: tx.nextId('ses') as SessionId, now });
  refuseLocked(statements, session, now);
  const before = statements.sql(OPEN_OF_PRINCIPAL).get({
    tenant,
    issuer: principal.issuer,
    id: principal.id,
  }) as unknown as SessionRow | undefined;
  const by = principalActor(session);
  const replaced =
    before === undefined ? null : endSession(tx, sessionOf(before), { ending: 'replaced', by, note: null });
  addSession(statements, session);
  if (launch !== null) {
    statements.sql(FORGET_LAUNCHES).run(now - KEEP_LAUNCH_MS);
    statements
      .sql(ADD_LAUNCH)
      .run({ hash: launch.hash, session: session.id, endsAt: now + launch.lifetimeMs });
  }
  tx.changed({ kind: 'session', id: session.id, tenant, operation: 'open', by, document: session });
  addNotice(tx, startedNotice(session, grantById(statements, session.grantId)));
  return { session: sessionById(statements, session.id) as SupportSession, replaced };
}

function refuseLocked(statements: Statements, session: SupportSession, now: EpochMs): void {
  const lock = lockFor(heldLocks(statements, now), session, now);
  if (lock === null) return;
  throw new GrantRefusal(
    'session_locked',
    lock.message ??
      'Nobody whom the lock is about opens a session until the vendor’s security team lifts it.',
  );
}

function launched(
  statements: Statements,
  sql: string,
  values: { readonly hash: string; readonly tenant: TenantId; readonly now: EpochMs },
): SupportSession | null {
  const link = statements.sql(sql).get(values);
  const session = link === undefined ? null : sessionById(statements, link['session'] as SessionId);
  if (session === null || sessionOverAt(session, session.lastUsedAt, values.now) !== null) return null;
  return session;
}

function endOne(
  tx: Transaction,
  id: SessionId,
  end: SessionEnd,
): { readonly session: SupportSession; readonly isNews: boolean } {
  const before = sessionById(tx.statements, id);
  if (before === null)
    throw new GrantRefusal('session_unknown', 'Name a session by the id it was opened with.');
  if (before.endedAt === null) return { session: endSession(tx, before, end), isNews: true };
  if (end.note === null || before.note !== null) return { session: before, isNews: false };
  const noted = { ...before, note: end.note };
  replaceSession(tx.statements, noted);
  const { tenant } = before;
  tx.changed({ kind: 'session', id, tenant, operation: 'note', by: end.by, document: noted });
  return { session: sessionById(tx.statements, id) as SupportSession, isNews: false };
}

function principalActor({ principal }: SupportSession): Actor {
  const { id, issuer, email, name } = principal;
  return { kind: 'staff', id, issuer, email, name, onBehalfOf: null };
}
