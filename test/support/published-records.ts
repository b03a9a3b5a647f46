// Published records of every kind, each with every field that it may have: for tests of what is made of records.
// A test holds them against the schema.
import type { PublishedRecord } from '#audit/published-record.ts';

const HEAD = {
  schema: 'postern.audit/v1',
  id: '0198f2a0-1111-7000-8000-00000000c0de',
  seq: 42,
  instance: 'gw-1',
  time: '2026-01-31T12:34:56.789Z',
} as const;

export function requestRecord(changes: Readonly<Record<string, unknown>> = {}): PublishedRecord {
  return {
    ...HEAD,
    event: 'request.allowed',
    code: 'PSTN1001I',
    durationMs: 4.25,
    upstreamMs: 3.5,
    tenant: 'acme',
    tenantSeq: 7,
    workspace: 'emea',
    actor: {
      subject: 'sub-1f0e',
      id: 'agent-7',
      name: 'Ada Lovelace',
      email: 'ada@vendor.example',
      issuer: 'https://id.vendor.example',
      org: 'vendor',
    },
    actAs: 'customer-user-3',
    grant: {
      id: 'grant-1',
      revision: 3,
      expiresAt: '2026-02-01T00:00:00.000Z',
      grantedBy: {
        kind: 'service',
        subject: 'sub-9d21',
        id: 'helpdesk-bot',
        issuer: 'https://id.acme.example',
        onBehalfOf: 'grace@acme.example',
      },
      access: 'write',
      roles: ['support'],
    },
    session: {
      id: 'ses_01JHNM9N00000000000000000A',
      access: 'write',
      caseRef: 'CASE-1815',
      reason: { type: 'customer_initiated_support', detail: 'Reproducing the fault' },
    },
    caseRef: 'CASE-1815',
    reason: { type: 'customer_initiated_support', detail: 'Cannot open tickets' },
    requestId: '0198f2a0-2222-7000-8000-00000000c0de',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    http: {
      method: 'POST',
      route: '/tickets/1/comments',
      path: '/t/acme/tickets/1/comments',
      queryKeys: ['expand', 'page'],
      queryValues: [{ name: 'expand', value: 'author' }],
      host: 'app.example',
      version: '1.1',
      status: 201,
      kind: 'http',
      bytesIn: 10,
      bytesOut: 20,
      userAgent: 'curl/8.0',
    },
    client: { ip: '192.0.2.10', peerIp: '198.51.100.2' },
    effect: 'write',
    decision: 'allow',
    decisionMs: 0.123,
    reasonCode: 'ok',
    note: null,
    rule: null,
    shadowRules: [{ id: 'no-exports', category: 'bulk' }],
    policyDigest: 'sha256:abc',
    grantCache: { result: 'hit', ageMs: 12 },
    upstream: { status: 201, error: null },
    endedBy: 'upstream',
    outcome: 'completed',
    ...changes,
  };
}

export function deniedRecord(): PublishedRecord {
  return requestRecord({
    event: 'request.denied',
    code: 'PSTN1002W',
    upstreamMs: null,
    decisionMs: null,
    decision: 'deny',
    reasonCode: 'rule_denied',
    note: 'a rule said no',
    rule: { id: 'no-deletes', category: 'destructive' },
    upstream: { status: null, error: null },
    endedBy: null,
    outcome: 'refused',
  });
}

/** A request of a person whose key was destroyed since. */
export function erasedRecord(): PublishedRecord {
  const record = requestRecord();
  return requestRecord({
    actor: { ...(record['actor'] as object), id: null, name: null, email: null },
    actAs: null,
    client: { ip: null, peerIp: null },
    http: { ...(record['http'] as object), userAgent: null },
  });
}

export function summedRecord(): PublishedRecord {
  return {
    ...HEAD,
    event: 'request.denied',
    code: 'PSTN1005W',
    tenant: null,
    tenantSeq: null,
    client: { network: '203.0.113.0/24' },
    decision: 'deny',
    reasonCode: 'no_credential',
    count: 12,
    outcome: 'refused',
  };
}

export function gapRecord(): PublishedRecord {
  return {
    ...HEAD,
    event: 'audit.gap',
    code: 'PSTN6001E',
    tenant: null,
    tenantSeq: null,
    since: '2026-01-31T12:00:00.000Z',
    until: '2026-01-31T12:34:56.789Z',
    count: 12,
    lost: 1,
  };
}

export function checkpointRecord(): PublishedRecord {
  return {
    ...HEAD,
    event: 'audit.checkpoint',
    code: 'PSTN6002I',
    tenant: null,
    tenantSeq: null,
    chain: '0198f2a0-0000-7000-8000-00000000c0de',
    from: 1,
    to: 9,
    head: 'a'.repeat(64),
    leaves: 12,
    root: 'b'.repeat(64),
    key: 'A'.repeat(43),
    sig: 'B'.repeat(86),
  };
}

interface Lifecycle {
  readonly event: PublishedRecord['event'];
  readonly code: string;
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  readonly grant?: { readonly id: string; readonly revision: number } | null;
  readonly actor?: object | null;
}

const ADMIN = {
  subject: 'sub-77aa',
  kind: 'customer',
  id: 'admin-1',
  issuer: 'https://id.acme.example',
  email: 'grace@acme.example',
  name: 'Grace Hopper',
};

export function lifecycleRecord(of: Lifecycle): PublishedRecord {
  const isGrant = of.event.startsWith('grant.');
  return {
    ...HEAD,
    event: of.event,
    code: of.code,
    tenant: isGrant ? 'acme' : null,
    tenantSeq: isGrant ? 8 : null,
    actor: of.actor === undefined ? ADMIN : of.actor,
    grant: of.grant === undefined && isGrant ? { id: 'grant-1', revision: 4 } : (of.grant ?? null),
    details: of.details ?? {},
  };
}

/** One of each event that is no request. */
export function lifecycleRecords(): PublishedRecord[] {
  return [
    lifecycleRecord({ event: 'grant.created', code: 'PSTN2001I', details: { access: 'read' } }),
    lifecycleRecord({ event: 'grant.changed', code: 'PSTN2002I' }),
    lifecycleRecord({ event: 'grant.revoked', code: 'PSTN2003I' }),
    lifecycleRecord({ event: 'grant.expired', code: 'PSTN2004I', actor: null }),
    lifecycleRecord({
      event: 'session.started',
      code: 'PSTN2101I',
      details: { session: 'ses_1', grant: 'grant-1', access: 'read' },
    }),
    lifecycleRecord({
      event: 'session.ended',
      code: 'PSTN2102I',
      details: { session: 'ses_1', endedBy: 'left' },
    }),
    lifecycleRecord({
      event: 'policy.reloaded',
      code: 'PSTN3001I',
      actor: null,
      details: { digest: 'sha256:abc', ruleCount: 3, problems: 0 },
    }),
    lifecycleRecord({ event: 'policy.reload_failed', code: 'PSTN3002E', actor: null }),
    lifecycleRecord({
      event: 'keys.withdrawn',
      code: 'PSTN4001W',
      actor: null,
      details: { issuer: 'https://id.vendor.example', keyId: 'key-1' },
    }),
    lifecycleRecord({
      event: 'gateway.started',
      code: 'PSTN5001I',
      actor: null,
      details: { version: '0.1.0' },
    }),
    lifecycleRecord({ event: 'gateway.stopped', code: 'PSTN5002I', actor: null }),
    lifecycleRecord({ event: 'subject.erased', code: 'PSTN7001I', details: { subject: 'sub-1f0e' } }),
    lifecycleRecord({ event: 'audit.read', code: 'PSTN7002I', details: { query: 'history' } }),
    lifecycleRecord({
      event: 'audit.dropped',
      code: 'PSTN6003E',
      actor: null,
      details: { segments: 1, bytes: 9 },
    }),
    lifecycleRecord({
      event: 'settings.changed',
      code: 'PSTN2005I',
      details: { part: 'own', revision: 2, keys: 'suspended' },
    }),
    ...(['made', 'approved', 'decided'] as const).map((step, i) =>
      lifecycleRecord({
        event: `request.${step}`,
        code: `PSTN220${i + 1}I`,
        details: { request: 'req_1', status: step === 'made' ? 'awaiting_tenant' : 'approved' },
      }),
    ),
    lifecycleRecord({ event: 'lock.set', code: 'PSTN8001W', details: { lock: 'lck_1', kind: 'case' } }),
    lifecycleRecord({ event: 'lock.lifted', code: 'PSTN8002I', details: { lock: 'lck_1', kind: 'case' } }),
    lifecycleRecord({
      event: 'break_glass.asked',
      code: 'PSTN8003W',
      details: { emergency: 'emg_1', access: 'read' },
    }),
    lifecycleRecord({
      event: 'break_glass.used',
      code: 'PSTN8004W',
      grant: { id: 'grant-1', revision: 1 },
      details: { emergency: 'emg_1', access: 'read' },
    }),
    gapRecord(),
    checkpointRecord(),
  ];
}

export function everyRecord(): PublishedRecord[] {
  return [requestRecord(), deniedRecord(), erasedRecord(), summedRecord(), ...lifecycleRecords()];
}
