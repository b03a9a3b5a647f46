import { describe, expect, it, vi } from 'vitest';
import type { SessionId } from '#model/ids.ts';
import type { SupportSession } from '#model/session.ts';
import type { ReportedRecord, SessionReport } from '#sessions/session-report.ts';
import { type SessionRecords, startSessionReporter } from '#sessions/session-reporter.ts';
import { clockAtStart, START } from '../../support/grants-fixtures.ts';
import { MINUTE, quietLog, supportSession } from '../../support/sessions-fixtures.ts';

const DAY = 86_400_000;
const ENDED = supportSession({ endedAt: START, endedBy: 'left' });
const allowed = (outcome = 'completed'): ReportedRecord => ({
  event: 'request.allowed',
  decision: 'allow',
  effect: 'write',
  outcome,
  http: { method: 'POST', route: '/tickets' },
});

interface State {
  due: SupportSession[];
  pages: (readonly ReportedRecord[])[];
  fails: boolean;
  asked: number;
}

function setUp(over: Partial<State> = {}) {
  const clock = clockAtStart();
  const state: State = { due: [ENDED], pages: [[]], fails: false, asked: 0, ...over };
  const saved: SessionReport[] = [];
  const noticed: SessionId[] = [];
  const queries: Parameters<SessionRecords['records']>[0][] = [];
  const watchers: (() => void)[] = [];
  const reporter = () =>
    startSessionReporter({
      store: {
        async toReport() {
          state.asked += 1;
          return state.due.filter(({ id }) => saved.every(({ session }) => session !== id));
        },
        saveReport: async (report) => void saved.push(report),
        noticeWithoutReport: async (id) => void noticed.push(id),
        watch(onChange) {
          watchers.push(() =>
            onChange({ kind: 'session', id: ENDED.id, tenant: ENDED.tenant, elsewhere: false }),
          );
          return { [Symbol.dispose]: () => undefined };
        },
      },
      reader: {
        async records(query) {
          queries.push(query);
          if (state.fails) throw new Error('planted');
          const at = query.cursor === null ? 0 : Number(query.cursor);
          const records = state.pages[at] ?? [];
          return { records, nextCursor: at + 1 < state.pages.length ? String(at + 1) : null };
        },
      },
      clock,
      log: quietLog(),
      settleMs: 1,
    });
  return {
    clock,
    state,
    saved,
    noticed,
    queries,
    reporter,
    change: () => watchers.forEach((told) => told()),
  };
}

describe('the reporter', () => {
  it('makes one report of all the pages of a session’s records, for the tenant and the session alone', async () => {
    const t = setUp({ pages: [[allowed()], [allowed()], [allowed()]] });
    t.clock.advance(1000);
    using _ = t.reporter();
    await vi.waitFor(() => expect(t.saved).toHaveLength(1), { timeout: 10_000 });
    expect(t.saved[0]).toMatchObject({
      session: ENDED.id,
      writes: 3,
      complete: true,
      resources: [{ methods: { POST: 3 } }],
    });
    expect(t.queries.map(({ cursor }) => cursor)).toEqual([null, '1', '2']);
    expect(t.queries[0]).toMatchObject({
      tenant: ENDED.tenant,
      session: ENDED.id,
      since: ENDED.startedAt,
      requestsOnly: true,
    });
  });

  it('waits until the journal has had time, and looks again when a session changes', async () => {
    const t = setUp();
    using _ = t.reporter();
    await vi.waitFor(() => expect(t.state.asked).toBe(1), { timeout: 10_000 });
    expect(t.queries).toEqual([]);
    expect(t.saved).toEqual([]);
    t.clock.advance(1000);
    t.change();
    await vi.waitFor(() => expect(t.saved).toHaveLength(1), { timeout: 10_000 });
  });

  it('waits for the ends of requests, and then counts them as they are', async () => {
    const t = setUp({ pages: [[allowed('open')]] });
    t.clock.advance(1000);
    using _ = t.reporter();
    await vi.waitFor(() => expect(t.queries.length).toBeGreaterThan(0), { timeout: 10_000 });
    expect(t.saved).toEqual([]);
    t.clock.advance(MINUTE);
    t.change();
    await vi.waitFor(() => expect(t.saved).toMatchObject([{ complete: false, writes: 1 }]), {
      timeout: 10_000,
    });
  });

  it('tries again while the journal cannot be read', async () => {
    const t = setUp({ fails: true });
    t.clock.advance(1000);
    using _ = t.reporter();
    await vi.waitFor(() => expect(t.queries.length).toBeGreaterThan(0), { timeout: 10_000 });
    expect(t.noticed).toEqual([]);
    t.state.fails = false;
    t.change();
    await vi.waitFor(() => expect(t.saved).toMatchObject([{ complete: true }]), { timeout: 10_000 });
  });

  it('lets people be told without the counts after a while, and gives up after a week', async () => {
    const t = setUp({ fails: true });
    t.clock.advance(15 * MINUTE);
    using _ = t.reporter();
    await vi.waitFor(() => expect(t.noticed).toEqual([ENDED.id]), { timeout: 10_000 });
    expect(t.saved).toEqual([]);
    t.clock.advance(7 * DAY);
    t.change();
    await vi.waitFor(() => expect(t.saved).toMatchObject([{ complete: false, requests: 0 }]), {
      timeout: 10_000,
    });
  });
});
