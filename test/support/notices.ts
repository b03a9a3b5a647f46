// Notices as the store writes them, one of each event, and a store to write them into.
import type { EpochMs } from '#model/clock.ts';
import type { TenantId } from '#model/ids.ts';
import type { Notice, NoticeDraft, NoticeEvent } from '#model/notice.ts';
import { addNotice } from '#grants/sqlite/notices.ts';
import type { StoreCore } from '#grants/sqlite/store-core.ts';

export const AT = Date.UTC(2030, 0, 15, 12) as EpochMs;
const HOUR = 3_600_000;

export const ADA = { name: 'Ada Admin', email: 'ada@acme.example' };
const SAM = { issuer: 'https://idp.vendor.example', id: 'sam', email: 'sam@vendor.example' };

const GRANT = {
  grantId: 'grt_01JHNM9N00000000000000000A',
  revision: 1,
  source: 'direct',
  grantedByName: 'Ada Admin',
  grantedByEmail: 'ada@acme.example',
  awaitsVerification: false,
  access: 'write',
  startsAt: AT,
  expiresAt: AT + 24 * HOUR,
  caseRef: 'CASE-1',
  reasonType: 'customer_initiated_support',
  reasonDetail: 'The invoice page is empty.',
  actAs: null,
  audienceOrg: 'vendor',
} as const;

const REQUEST = {
  requestId: 'req_01JHNM9N00000000000000000B',
  status: 'awaiting_tenant',
  askerName: 'Sam',
  askerEmail: 'sam@vendor.example',
  access: 'read',
  duration: '3d',
  actAs: null,
  caseRef: 'CASE-1',
  reasonType: 'customer_initiated_support',
  reasonDetail: 'The invoice page is empty.',
  lapsesAt: AT + 24 * HOUR,
} as const;

const SESSION = {
  sessionId: 'ses_01JHNM9N00000000000000000C',
  grantId: GRANT.grantId,
  caseRef: 'CASE-1',
  reasonType: 'customer_initiated_support',
  reasonDetail: 'The invoice page is empty.',
  startedAt: AT,
  access: 'write',
} as const;

const EMERGENCY = {
  emergencyId: 'emg_01JHNM9N00000000000000000D',
  access: 'read',
  durationMs: HOUR,
  caseRef: 'CASE-1',
  reasonType: 'break_glass',
  reasonDetail: 'Data is being lost.',
  askedByName: 'Sec One',
  askedByEmail: 'one@vendor.example',
  lapsesAt: AT + HOUR,
} as const;

const SAM_PERSON = { name: 'Sam', email: 'sam@vendor.example' };

type Told = Pick<Notice, 'by' | 'facts'>;

const TOLD: Readonly<Record<NoticeEvent, Told>> = {
  'grant.given': { by: ADA, facts: GRANT },
  'grant.changed': { by: ADA, facts: { ...GRANT, revision: 2, access: 'read' } },
  'grant.revoked': { by: { name: 'Bo', email: 'bo@acme.example' }, facts: GRANT },
  'grant.ending': { by: null, facts: GRANT },
  'grant.ended': { by: null, facts: GRANT },
  'grant.verified': { by: { name: 'Lea Lead', email: 'lea@vendor.example' }, facts: GRANT },
  'request.made': { by: SAM_PERSON, facts: REQUEST },
  'request.lead_approved': { by: { name: 'Lea Lead', email: 'lea@vendor.example' }, facts: REQUEST },
  'request.decided': {
    by: ADA,
    facts: { ...REQUEST, decision: 'approved', why: null, grantId: GRANT.grantId },
  },
  'session.started': { by: SAM_PERSON, facts: { ...SESSION, endsAt: AT + 8 * HOUR } },
  'session.ended': {
    by: SAM_PERSON,
    facts: {
      ...SESSION,
      endedAt: AT + HOUR,
      endedBy: 'tenant',
      durationMs: HOUR,
      note: 'Looked at the invoices.\nSet the tax code.',
      hasReport: true,
      reportComplete: true,
      requests: 16,
      reads: 12,
      writes: 3,
      denied: 1,
    },
  },
  'lock.set': {
    by: { name: 'Sec One', email: 'one@vendor.example' },
    facts: {
      lockId: 'lck_1',
      lockKind: 'tenant',
      caseRef: null,
      message: 'Under investigation.',
      endsAt: null,
    },
  },
  'lock.lifted': {
    by: { name: 'Sec One', email: 'one@vendor.example' },
    facts: { lockId: 'lck_1', lockKind: 'tenant', caseRef: null, message: null, endsAt: null },
  },
  'break_glass.asked': {
    by: { name: 'Sec One', email: 'one@vendor.example' },
    facts: { ...EMERGENCY, startsAt: null, expiresAt: null },
  },
  'break_glass.used': {
    by: { name: 'Sec Two', email: 'two@vendor.example' },
    facts: { ...EMERGENCY, startsAt: AT, expiresAt: AT + HOUR },
  },
};

export function noticeOf(event: NoticeEvent, over: Partial<Notice> = {}): Notice {
  return {
    id: `ntc_${event}`,
    at: AT,
    event,
    tenant: 'acme' as TenantId,
    staff: { principals: [SAM], groups: [] },
    ...TOLD[event],
    ...over,
  };
}

let made = 0;

/** Writes one into the outbox, in a transaction that changes something else too, as all of them do. */
export function leaveNotice(
  core: StoreCore,
  event: NoticeEvent,
  over: Partial<NoticeDraft> = {},
): Promise<void> {
  const { id: _id, at: _at, ...draft } = noticeOf(event);
  made += 1;
  const dedupe = `${event}:${made}`;
  return core.write((tx) => {
    tx.changed({ kind: 'grant', id: dedupe, tenant: null, operation: 'create', by: null, document: {} });
    addNotice(tx, { dedupe, ...draft, ...over });
  });
}
