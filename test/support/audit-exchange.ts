// An exchange for tests of the journal: all its facts, and what the journal said to it.
import type { EpochMs, MonotonicMs } from '#model/clock.ts';
import type { ExchangeFacts } from '#model/exchange.ts';
import type { Grant } from '#model/grant.ts';
import type { GrantId, RequestId, SessionId, TenantId } from '#model/ids.ts';
import type { Credential } from '#model/principal.ts';
import type { SupportSession } from '#model/session.ts';
import type { Recordable } from '#audit/journal.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export const EXAMPLE_CREDENTIAL: Credential = Object.freeze({
  principal: {
    id: 'agent-7',
    issuer: 'https://idp.vendor.example',
    email: 'ada@vendor.example',
    name: 'Ada Lovelace',
    groups: ['support'],
    org: 'vendor',
  },
  keyId: 'key-1',
  expiresAt: 1_800_000_000_000 as EpochMs,
});

export const EXAMPLE_GRANT: Grant = Object.freeze<Grant>({
  id: 'grt_01J8Z3K4M5N6P7Q8R9S0T1V2W3' as GrantId,
  tenant: 'acme' as TenantId,
  revision: 3,
  startsAt: 1_700_000_000_000 as EpochMs,
  expiresAt: 1_800_000_000_000 as EpochMs,
  access: 'read',
  audience: { org: 'vendor', groups: null, principals: null },
  roles: ['viewer'],
  workspaces: [],
  actAs: null,
  lifts: [],
  caseRef: 'CASE-42',
  reason: { type: 'customer_initiated_support', detail: 'cannot log in' },
  grantedBy: {
    kind: 'tenant_admin',
    id: 'admin-1',
    issuer: 'https://app.example.com',
    email: 'admin@acme.example',
    name: 'Grace',
    onBehalfOf: null,
  },
  createdAt: 1_700_000_000_000 as EpochMs,
  revokedAt: null,
  revokedBy: null,
});

export const EXAMPLE_SESSION: SupportSession = Object.freeze<SupportSession>({
  id: 'ses_01J8Z3K4M5N6P7Q8R9S0T1V2W3' as SessionId,
  tenant: 'acme' as TenantId,
  principal: EXAMPLE_CREDENTIAL.principal,
  grantId: EXAMPLE_GRANT.id,
  access: 'read',
  reason: { type: 'customer_initiated_support', detail: 'reproducing the fault' },
  caseRef: 'CASE-42',
  startedAt: 1_760_000_000_000 as EpochMs,
  endsAt: 1_760_028_800_000 as EpochMs,
  idleMs: 1_800_000,
  lastUsedAt: 1_760_000_000_000 as EpochMs,
  endedAt: null,
  endedBy: null,
  note: null,
});

export type FakeExchange = Mutable<ExchangeFacts> &
  Pick<Recordable, 'recorded' | 'recordRefused'> & {
    /** What the journal answered, in order. */
    readonly answers: ('recorded' | 'refused')[];
  };

let counter = 0;

/** A GET that was allowed and has ended well; `facts` replace single ones. */
export function fakeExchange(facts: Partial<ExchangeFacts> = {}): FakeExchange {
  counter += 1;
  const answers: ('recorded' | 'refused')[] = [];
  return {
    requestId: `0198f2a0-0000-7000-8000-${counter.toString(16).padStart(12, '0')}` as RequestId,
    receivedAt: 1_760_000_000_000 as EpochMs,
    startedAt: 0 as MonotonicMs,
    method: 'GET',
    httpVersion: '1.1',
    host: 'acme.app.example.com',
    target: { path: '/tickets/1', query: '', hasQuery: false, encodedSlash: false, encodedPercent: false },
    rawTarget: '/tickets/1',
    routePath: '/tickets/1',
    kind: 'http',
    recordedQuery: '',
    isUpgrade: false,
    hasBody: false,
    contentType: '',
    workspace: null,
    peerIp: '192.0.2.10',
    clientIp: '192.0.2.10',
    userAgent: 'curl/8.0',
    traceId: '',
    credential: EXAMPLE_CREDENTIAL,
    tenant: 'acme' as TenantId,
    grant: EXAMPLE_GRANT,
    session: null,
    grantCacheResult: 'hit',
    grantCacheAgeMs: 12,
    reason: 'ok',
    denialNote: null,
    rule: null,
    shadowRules: [],
    shadowGuards: [],
    policyDigest: `sha256:${'0'.repeat(64)}`,
    status: 200,
    upstreamStatus: 200,
    upstreamError: null,
    bytesIn: 0,
    bytesOut: 1024,
    decisionMs: 0.123,
    upstreamMs: 3.5,
    durationMs: 4.25,
    endedBy: 'upstream',
    ...facts,
    answers,
    recorded() {
      answers.push('recorded');
    },
    recordRefused() {
      answers.push('refused');
    },
  };
}

/** The facts of a request that nobody was identified for. */
export const ANONYMOUS: Partial<ExchangeFacts> = {
  credential: null,
  tenant: null,
  grant: null,
  grantCacheResult: 'none',
  grantCacheAgeMs: 0,
  reason: 'no_credential',
  status: 401,
  upstreamStatus: 0,
  decisionMs: 0,
  upstreamMs: 0,
  endedBy: null,
};
