// The reports of ended sessions: which are due, what was reported, and the notice that goes out with each. The first report
// of a session stays; the notice that it has ended goes out once, whether the report was ready or not. Cold.
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { SessionId, TenantId } from '#model/ids.ts';
import type { SupportSession } from '#model/session.ts';
import { frozen } from './grant-rows.ts';
import { grantById } from './grant-writes.ts';
import { addNotice } from './notices.ts';
import { endedNotice, type ReportedCounts } from './session-notices.ts';
import { SESSION_COLUMNS, sessionById, sessionsOf } from './session-rows.ts';
import type { Statements } from './statements.ts';
import type { StoreCore } from './store-core.ts';

/** What the store reads of a report; the rest it keeps as it is. */
export interface StoredReport extends ReportedCounts {
  readonly session: SessionId;
  readonly tenant: TenantId;
  readonly madeAt: number;
}

export interface SessionReports<Report extends StoredReport> {
  toReport(limit: number): Promise<readonly SupportSession[]>;
  saveReport(report: Report): Promise<void>;
  noticeWithoutReport(id: SessionId): Promise<void>;
  reportOf(id: SessionId): Promise<Report | null>;
}

const TO_REPORT = `SELECT ${SESSION_COLUMNS} FROM sessions s WHERE s.ended_at IS NOT NULL AND s.reported = 0
  ORDER BY s.ended_at LIMIT ?`;
const ADD = `INSERT INTO session_reports (session, tenant, made_at, writes, document)
  VALUES (:session, :tenant, :madeAt, :writes, :document) ON CONFLICT (session) DO NOTHING`;
const REPORTED = 'UPDATE sessions SET reported = 1, noticed = 1 WHERE id = ?';
const NOTICED = 'UPDATE sessions SET noticed = 1 WHERE id = ? AND noticed = 0';
const REPORT_OF = 'SELECT document FROM session_reports WHERE session = ?';

export function sessionReports<Report extends StoredReport>(core: StoreCore): SessionReports<Report> {
  return {
    toReport: (limit) => core.read((statements) => sessionsOf(statements.sql(TO_REPORT).all(limit))),
    saveReport: (report) =>
      core.write((tx) => {
        const session = ended(tx.statements, report.session);
        const { tenant, madeAt, writes } = report;
        const row = { session: session.id, tenant, madeAt, writes, document: JSON.stringify(report) };
        const { changes } = tx.statements.sql(ADD).run(row);
        if (Number(changes) === 0) return;
        tx.statements.sql(REPORTED).run(session.id);
        addNotice(tx, endedNotice(session, report, grantById(tx.statements, session.grantId)));
      }),
    noticeWithoutReport: (id) =>
      core.write((tx) => {
        const session = ended(tx.statements, id);
        const { changes } = tx.statements.sql(NOTICED).run(id);
        if (Number(changes) > 0)
          addNotice(tx, endedNotice(session, null, grantById(tx.statements, session.grantId)));
      }),
    reportOf: (id) =>
      core.read((statements) => {
        const row = statements.sql(REPORT_OF).get(id);
        return row === undefined ? null : frozen(JSON.parse(String(row['document'])) as Report);
      }),
  };
}

function ended(statements: Statements, id: SessionId): SupportSession {
  const session = sessionById(statements, id);
  if (session === null)
    throw new GrantRefusal('session_unknown', 'Name a session by the id it was opened with.');
  if (session.endedAt === null) throw new TypeError('a session is reported when it has ended');
  return session;
}
