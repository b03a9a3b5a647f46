// The published records against what was asked: each request has exactly one, and it says the same.
import { readFileSync } from 'node:fs';
import type { Asked } from './gate.ts';
import { STAFF } from './identity-provider.ts';
import type { Report } from './report.ts';

export interface AuditRecord {
  readonly schema: string;
  readonly event: string;
  readonly tenant: string | null;
  readonly actor: { readonly id: string; readonly email: string | null } | null;
  readonly grant: { readonly id: string } | null;
  readonly requestId?: string;
  readonly traceId?: string | null;
  readonly http?: { readonly method: string; readonly status: number | null };
  readonly decision?: string;
  readonly reasonCode?: string;
  readonly rule?: { readonly id: string } | null;
  readonly upstream?: { readonly status: number | null };
}

export function readRecords(file: string): readonly AuditRecord[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditRecord);
}

function factsOf(record: AuditRecord): unknown {
  return {
    method: record.http?.method,
    status: record.http?.status,
    tenant: record.tenant,
    actor: record.actor?.id ?? null,
    decision: record.decision,
    rule: record.rule?.id ?? null,
    upstream: record.upstream?.status ?? null,
  };
}

/** A target that is refused before host and credential are looked at has neither tenant nor actor. */
function expectedFacts(asked: Asked, record: AuditRecord): unknown {
  const isIdentified = asked.withCredential && record.actor !== null;
  const hasTenant = record.tenant !== null;
  return {
    method: asked.method,
    status: asked.status,
    tenant: hasTenant ? asked.tenant : null,
    actor: isIdentified ? STAFF.id : null,
    decision: asked.refusal === null ? 'allow' : 'deny',
    // An answer to HEAD cannot tell the rule.
    rule: asked.method === 'HEAD' ? (record.rule?.id ?? null) : (asked.refusal?.rule ?? null),
    upstream: asked.refusal === null ? asked.status : null,
  };
}

export function checkRequestRecords(
  records: readonly AuditRecord[],
  asked: readonly Asked[],
  report: Report,
): void {
  const byTrace = Map.groupBy(records, ({ traceId }) => traceId ?? '');
  const byRequest = Map.groupBy(records, ({ requestId }) => requestId ?? '');
  for (const request of asked) {
    const name = `the record of ${request.method} ${request.path}`;
    // A refusal names its record itself; what was forwarded is found by its trace.
    const requestId = request.refusal?.requestId ?? '';
    const found = requestId === '' ? byTrace.get(request.traceId) : byRequest.get(requestId);
    const [record, ...more] = found ?? [];
    if (record === undefined || more.length > 0) {
      report.check(name, false, record === undefined ? 'is missing' : `stands ${more.length + 1} times`);
      continue;
    }
    const isJudged = request.refusal === null || request.refusal.rule !== null;
    const isComplete =
      !isJudged || (record.actor?.id === STAFF.id && record.grant !== null && record.tenant !== null);
    report.check(`${name} says who, where and under which grant`, isComplete, JSON.stringify(record));
    report.equal(name, factsOf(record), expectedFacts(request, record));
    const reason = request.refusal?.reason ?? 'ok';
    if (reason !== '') report.equal(`${name} gives the reason`, record.reasonCode, reason);
  }
}
