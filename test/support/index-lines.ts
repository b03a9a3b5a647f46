// Single lines of a journal as text, newline included, in the order of keys that the gateway writes.
import { asciiJson } from '#audit/json-text.ts';
import { sealedBox } from '#audit/subjects/subject-box.ts';

/** The next number of each tenant. */
export type LineNumbers = Map<string, number>;

export interface RequestFacts {
  readonly id: string;
  readonly tenant: string | null;
  readonly s: number;
  readonly g: number;
  readonly t: number;
  readonly isWrite: boolean;
}

/** A UUIDv7 of that time. */
export function idOf(t: number, counter: number): string {
  const hex = t.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${counter.toString(16).padStart(12, '0')}`;
}

export function segmentOf(segment: number, group: number, prev: string): string {
  return line({
    k: 'segment',
    v: 1,
    chain: '0198f2a0-0000-7000-8000-00000000c0de',
    segment,
    group,
    prev,
    key: 'A'.repeat(43),
    t: 1_760_000_000_000,
    instance: 'test-1',
  });
}

/** The key that `subjectOf` seals under. */
export function subjectKey(subject: string): Buffer {
  return Buffer.alloc(32, subject);
}

export function subjectOf(s: number, subject: string, ip = '192.0.2.10'): string {
  const isAnonymous = subject.startsWith('anonymous');
  const fields = {
    id: isAnonymous ? null : `person-of-${subject}`,
    email: isAnonymous ? null : `${subject}@vendor.example`,
    name: isAnonymous ? null : `Name of ${subject}`,
    ip,
    peer: null,
    agent: 'curl/8.0',
  };
  const box = sealedBox(fields, { id: subject, key: subjectKey(subject) });
  const kind = isAnonymous ? 'anonymous' : 'principal';
  const who = isAnonymous ? { issuer: null, org: null } : { issuer: 'https://idp.example', org: 'vendor' };
  return line({ k: 'subject', s, subject, kind, ...who, ...box });
}

export function grantOf(g: number, tenant: string, grantedBy: number, more: object = {}): string {
  return line({
    k: 'grant',
    tenant,
    g,
    grant: {
      id: `grt_${tenant}_${g}`,
      revision: 1,
      expiresAt: null,
      grantedBy: { kind: 'tenant_admin', s: grantedBy, onBehalfOf: null },
      access: 'write',
      roles: [],
    },
    ...more,
  });
}

export function policyOf(p: number): string {
  return line({ k: 'policy', p, digest: `sha256:${'0'.repeat(64)}` });
}

export function intentOf(request: RequestFacts, numbers: LineNumbers): string {
  return `{"k":"intent",${requestText(request, numbers)}}\n`;
}

export function refusedOf(request: RequestFacts, numbers: LineNumbers, end: object): string {
  return `{"k":"refused",${requestText(request, numbers)},${endText(end)}}\n`;
}

export function doneOf(
  { tenant, id }: Pick<RequestFacts, 'tenant' | 'id'>,
  numbers: LineNumbers,
  end: object = { code: 'ok', status: 200 },
): string {
  return `{"k":"done",${tenantText(tenant, numbers)},"id":"${id}",${endText(end)}}\n`;
}

export function startedOf({ tenant, id }: Pick<RequestFacts, 'tenant' | 'id'>, numbers: LineNumbers): string {
  return `{"k":"started",${tenantText(tenant, numbers)},"id":"${id}","kind":"websocket","status":101,"upstreamStatus":101}\n`;
}

export function eventOf(
  tenant: string | null,
  s: number,
  at: { t: number; id: string },
  numbers: LineNumbers,
): string {
  const rest = JSON.stringify({ s, ...at, event: 'grant.created', grant: null, details: {} }).slice(1);
  return `{"k":"event",${tenantText(tenant, numbers)},${rest}\n`;
}

/** Any other line. */
export function line(value: object): string {
  return `${asciiJson(value)}\n`;
}

function requestText({ tenant, s, g, isWrite, id, t }: RequestFacts, numbers: LineNumbers): string {
  const refers = `"s":${s},"g":${g},"e":"${isWrite ? 'w' : 'r'}"`;
  const n = tenant === null ? '' : `,"n":${numberOf(tenant, numbers)}`;
  const target = `"method":"${isWrite ? 'POST' : 'GET'}","version":"1.1","host":"app.example.com","path":"/tickets/1"`;
  return `"tenant":${asciiJson(tenant)},${refers}${n},"p":1,"id":"${id}","t":${t},${target},"cache":"hit"`;
}

function endText(end: object): string {
  const { code, status, ...rest } = end as { readonly code: string; readonly status: number };
  const more = { bytesIn: 0, bytesOut: 1024, us: 4250, ...rest };
  return `"code":"${code}","status":${status},${JSON.stringify(more).slice(1, -1)}`;
}

function tenantText(tenant: string | null, numbers: LineNumbers): string {
  return tenant === null ? '"tenant":null' : `"tenant":${asciiJson(tenant)},"n":${numberOf(tenant, numbers)}`;
}

function numberOf(tenant: string, numbers: LineNumbers): number {
  const n = numbers.get(tenant) ?? 1;
  numbers.set(tenant, n + 1);
  return n;
}

/** As a JournalBuilder takes them: without their newlines. */
export function linesOf(...texts: readonly string[]): string[] {
  return texts.map((text) => text.trimEnd());
}
