// Builds the lines of the journal by hand, newline included: pure ASCII, keys written out in the source,
// every string from outside escaped and capped. What does not change between requests is built once.
// Hot: intent and completion of every request. The reader's types are in `journal-lines.ts`.
import type { EndedBy } from '#model/ended-by.ts';
import type { ExchangeFacts } from '#model/exchange.ts';
import type { RuleRef } from '#model/verdict.ts';
import type { ContextTable } from './context-table.ts';
import { capped, quoted } from './json-text.ts';
import { CAPS } from './line-caps.ts';
import { queryNamesOf } from './query-names.ts';
import type { TenantNumbers } from './tenant-numbers.ts';

/** What numbers a line carries: its tenant's own, and those of the lines it refers to. */
export interface LineNumbers {
  readonly tenants: TenantNumbers;
  readonly context: ContextTable;
}

/** Before forwarding: who, what and under which grant. Context lines that it needs are in `numbers.context`. */
export function intentText(x: ExchangeFacts, numbers: LineNumbers): string {
  return `{"k":"intent",${requestText(x, numbers)}}\n`;
}

/** A request that was never forwarded: both halves in one line. */
export function refusedText(x: ExchangeFacts, numbers: LineNumbers): string {
  return `{"k":"refused",${requestText(x, numbers)}${endText(x, null, 0)}}\n`;
}

/** After the exchange ended. */
export function doneText(x: ExchangeFacts, { tenants }: LineNumbers): string {
  const { tenant, requestId } = x;
  if (tenant === null)
    return `{"k":"done","tenant":null,"id":"${requestId}"${endText(x, 'upstream', x.status)}}\n`;
  const entry = tenants.of(tenant);
  return `${entry.doneHead}${entry.take()},"id":"${requestId}"${endText(x, 'upstream', x.status)}}\n`;
}

/** A stream whose head has been sent on. */
export function startedText(x: ExchangeFacts, { tenants }: LineNumbers): string {
  return `{"k":"started",${tenantText(x, tenants)},"id":"${x.requestId}","kind":"${x.kind}","status":${x.status},"upstreamStatus":${x.upstreamStatus}}\n`;
}

function tenantText({ tenant }: ExchangeFacts, tenants: TenantNumbers): string {
  if (tenant === null) return '"tenant":null';
  const entry = tenants.of(tenant);
  return `"tenant":${entry.text},"n":${entry.take()}`;
}

function requestText(x: ExchangeFacts, { tenants, context }: LineNumbers): string {
  const { target, tenant } = x;
  const s = context.subjectOf(x);
  const g = context.grantOf(x.grant, x.session);
  const effect = effectOf(x);
  const policy = context.policyOf(x.policyDigest);
  let text: string;
  if (tenant === null) {
    text = `"tenant":null,"s":${s},"g":${g},"e":"${effect}"`;
  } else {
    const entry = tenants.of(tenant);
    // The number is taken last: nothing after it can fail.
    text = `${entry.head(s, g, effect)}${entry.take()}`;
  }
  text += `,"p":${policy},"id":"${x.requestId}","t":${x.receivedAt}`;
  text += x.method === 'GET' ? ',"method":"GET"' : `,"method":${quoted(x.method, CAPS.method)}`;
  if (x.httpVersion !== '1.1') text += `,"version":${quoted(x.httpVersion, CAPS.method)}`;
  text += `,"host":${quoted(x.host, CAPS.host)}`;
  if (target === null) {
    text += refusedTargetText(x.rawTarget);
  } else {
    text += `,"path":${quoted(target.path, CAPS.path)}`;
    if (x.routePath !== target.path && x.routePath !== '')
      text += `,"route":${quoted(x.routePath, CAPS.path)}`;
    if (target.query !== '') {
      text += queryText(target.query);
      const pairs = x.recordedQuery;
      if (pairs !== '') text += `,"pairs":${quoted(pairs, CAPS.pairs)}`;
    }
  }
  if (x.hasBody) text += `,"body":${quoted(mediaTypeOf(x.contentType), CAPS.id)}`;
  if (x.isUpgrade) text += ',"upgrade":true';
  if (x.workspace !== null) text += `,"workspace":${quoted(x.workspace, CAPS.id)}`;
  if (x.traceId !== '') text += `,"trace":${quoted(x.traceId, CAPS.method)}`;
  if (x.grantCacheResult !== 'hit') text += `,"cache":"${x.grantCacheResult}"`;
  if (x.grantCacheAgeMs > 0) text += `,"cacheAgeMs":${Math.round(x.grantCacheAgeMs)}`;
  if (x.shadowRules.length > 0) text += `,"shadow":[${x.shadowRules.map(ruleText).join(',')}]`;
  return text;
}

/**
 * A target that could not be parsed: its path as it came, less the places where credentials stand
 * (`user:password@`, query values, the fragment).
 */
function refusedTargetText(raw: string): string {
  const bounded = raw.slice(0, 4 * CAPS.path);
  const hash = bounded.indexOf('#');
  const target = hash === -1 ? bounded : bounded.slice(0, hash);
  const mark = target.indexOf('?');
  const path = withoutUserinfo(mark === -1 ? target : target.slice(0, mark));
  const text = `,"path":${quoted(path, CAPS.path)}`;
  return mark === -1 ? text : text + queryText(target.slice(mark + 1));
}

function withoutUserinfo(path: string): string {
  if (path.startsWith('/')) return path;
  const scheme = path.indexOf('://');
  const from = scheme === -1 ? 0 : scheme + 3;
  const slash = path.indexOf('/', from);
  const at = path.lastIndexOf('@', slash === -1 ? path.length : slash);
  return at < from ? path : path.slice(0, from) + path.slice(at + 1);
}

/** What it asks for: by the method, and whatever passes for reading alone reads (RFC 9110 section 9.2.1). */
function effectOf({ method, grant, session, reason }: ExchangeFacts): 'r' | 'w' {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return 'r';
  return reason === 'ok' && (grant?.access === 'read' || session?.access === 'read') ? 'r' : 'w';
}

/** Without its parameters: a boundary says nothing, and nothing else belongs in the record. */
function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return end === -1 ? contentType : contentType.slice(0, end).trimEnd();
}

function queryText(query: string): string {
  const names = queryNamesOf(query);
  return names === '' ? '' : `,"query":${quoted(capped(names, CAPS.query), CAPS.query + 1)}`;
}

/** What is as usual is left out: a line is hashed twice and read several times, and costs by its length. */
function endText(x: ExchangeFacts, usualEnd: EndedBy | null, usualUpstream: number): string {
  let text =
    x.reason === 'ok' && x.status === 200
      ? `,"code":"ok","status":200,"bytesOut":${x.bytesOut},"us":${micros(x.durationMs)}`
      : `,"code":"${x.reason}","status":${x.status},"bytesOut":${x.bytesOut},"us":${micros(x.durationMs)}`;
  if (x.bytesIn !== 0) text += `,"bytesIn":${x.bytesIn}`;
  if (x.decisionMs > 0) text += `,"decisionUs":${micros(x.decisionMs)}`;
  if (x.upstreamStatus !== usualUpstream) text += `,"upstreamStatus":${x.upstreamStatus}`;
  if (x.upstreamMs > 0) text += `,"upstreamUs":${micros(x.upstreamMs)}`;
  if (x.upstreamError !== null) text += `,"upstreamError":${quoted(x.upstreamError, CAPS.address)}`;
  if (x.endedBy !== usualEnd) text += `,"endedBy":${x.endedBy === null ? 'null' : `"${x.endedBy}"`}`;
  if (x.kind !== 'http') text += `,"kind":"${x.kind}"`;
  if (x.rule !== null) text += `,"rule":${ruleText(x.rule)}`;
  if (x.shadowGuards.length > 0) text += `,"shadowGuards":[${x.shadowGuards.map(ruleText).join(',')}]`;
  if (x.denialNote !== null) text += `,"note":${quoted(x.denialNote, CAPS.note)}`;
  return text;
}

function ruleText(rule: RuleRef): string {
  return `{"id":${quoted(rule.id, CAPS.id)},"category":${quoted(rule.category, CAPS.id)}}`;
}

/** Whole microseconds: a small integer is much cheaper to print than a fraction. */
function micros(ms: number): number {
  return Math.round(ms * 1000);
}
