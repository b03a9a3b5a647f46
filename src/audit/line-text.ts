// Builds the lines of the journal by hand, newline included: pure ASCII, keys written out in the source,
// every string from outside escaped and capped. What does not change between requests is built once.
// Hot: intent and completion of every request. The reader's types are in `journal-lines.ts`.
import type { ExchangeFacts } from '#model/exchange.ts';
import type { Grant } from '#model/grant.ts';
import type { Credential } from '#model/principal.ts';
import type { RuleRef } from '#model/verdict.ts';
import { capped, quoted, quotedOrNull } from './json-text.ts';
import { queryNamesOf } from './query-names.ts';

/** UTF-16 units kept of a string; nothing that is shorter is ever cut. */
export const CAPS = {
  id: 256,
  method: 32,
  host: 260,
  path: 2048,
  query: 1024,
  /** Pairs that a rule reads. */
  pairs: 4096,
  address: 64,
  agent: 512,
  note: 256,
  detail: 1024,
} as const;

/** `bench/journal.ts` measures what the two fragments, made once per credential and per grant revision, save. */
const actorTexts = new WeakMap<Credential, string>();
const grantTexts = new WeakMap<Grant, string>();
const NOBODY = '"actor":null,"person":{"email":null,"name":null,"ip":';

/** Before forwarding: who, what and under which grant. */
export function intentText(x: ExchangeFacts): string {
  return `{"k":"intent",${requestText(x)}}\n`;
}

/** A request that was never forwarded: both halves in one line. */
export function refusedText(x: ExchangeFacts): string {
  return `{"k":"refused",${requestText(x)},${endText(x)}}\n`;
}

/** After the exchange ended. */
export function doneText(x: ExchangeFacts): string {
  return `{"k":"done","id":"${x.requestId}",${endText(x)}}\n`;
}

/** A stream whose head has been sent on. */
export function startedText(x: ExchangeFacts): string {
  return `{"k":"started","id":"${x.requestId}","kind":"${x.kind}","status":${x.status},"upstreamStatus":${x.upstreamStatus}}\n`;
}

function requestText(x: ExchangeFacts): string {
  const target = x.target;
  let text = `"id":"${x.requestId}","t":${x.receivedAt},"tenant":${quotedOrNull(x.tenant, CAPS.id)},${personText(x)}`;
  if (x.grant !== null) text += grantText(x.grant);
  text += `,"method":${quoted(x.method, CAPS.method)},"version":${quoted(x.httpVersion, CAPS.method)},"host":${quoted(x.host, CAPS.host)}`;
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
  text += `,"policy":${quoted(x.policyDigest, CAPS.id)},"cache":"${x.grantCacheResult}"`;
  if (x.grantCacheAgeMs > 0) text += `,"cacheAgeMs":${Math.round(x.grantCacheAgeMs)}`;
  if (x.shadowRules.length > 0) text += `,"shadow":[${x.shadowRules.map(ruleText).join(',')}]`;
  return text;
}

/**
 * Everything that names or locates a person, and nothing else: the one place to change when these fields
 * move to lines of their own that can be erased.
 */
function personText(x: ExchangeFacts): string {
  const who = x.credential === null ? NOBODY : actorText(x.credential);
  const ip = quoted(x.clientIp, CAPS.address);
  const peer = x.peerIp === x.clientIp ? '' : `,"peer":${quoted(x.peerIp, CAPS.address)}`;
  return `${who}${ip}${peer},"agent":${quoted(x.userAgent, CAPS.agent)}}`;
}

function actorText(credential: Credential): string {
  const known = actorTexts.get(credential);
  if (known !== undefined) return known;
  const { id, issuer, org, email, name } = credential.principal;
  const text =
    `"actor":{"id":${quoted(id, CAPS.id)},"issuer":${quoted(issuer, CAPS.id)},"org":${quoted(org, CAPS.id)}},` +
    `"person":{"email":${quotedOrNull(email, CAPS.id)},"name":${quotedOrNull(name, CAPS.id)},"ip":`;
  actorTexts.set(credential, text);
  return text;
}

function grantText(grant: Grant): string {
  const known = grantTexts.get(grant);
  if (known !== undefined) return known;
  const by = grant.grantedBy;
  const expiresAt = grant.expiresAt === null ? 'null' : `"${instantText(grant.expiresAt)}"`;
  let text =
    `,"grant":{"id":${quoted(grant.id, CAPS.id)},"revision":${grant.revision},"expiresAt":${expiresAt},` +
    `"grantedBy":{"kind":"${by.kind}","id":${quoted(by.id, CAPS.id)},"issuer":${quoted(by.issuer, CAPS.id)},` +
    `"onBehalfOf":${quotedOrNull(by.onBehalfOf?.id ?? null, CAPS.id)}},"access":"${grant.access}","roles":${namesText(grant.roles)}}`;
  if (grant.lifts.length > 0) text += `,"lifts":${namesText(grant.lifts)}`;
  if (grant.workspaces.length > 0) text += `,"workspaces":${namesText(grant.workspaces.map(({ id }) => id))}`;
  if (grant.actAs !== null) text += `,"actAs":${quoted(grant.actAs, CAPS.id)}`;
  if (grant.caseRef !== null) text += `,"caseRef":${quoted(grant.caseRef, CAPS.id)}`;
  if (grant.reason !== null) {
    text += `,"reason":{"type":"${grant.reason.type}","detail":${quoted(grant.reason.detail, CAPS.detail)}}`;
  }
  grantTexts.set(grant, text);
  return text;
}

function namesText(names: readonly string[]): string {
  return `[${names
    .slice(0, 32)
    .map((name) => quoted(name, CAPS.id))
    .join(',')}]`;
}

/** An end too far for a calendar is the last instant there is, not a fault of the journal. */
function instantText(epochMs: number): string {
  return new Date(Math.min(epochMs, 8.64e15)).toISOString();
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

/** Without its parameters: a boundary says nothing, and nothing else belongs in the record. */
function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return end === -1 ? contentType : contentType.slice(0, end).trimEnd();
}

function queryText(query: string): string {
  const names = queryNamesOf(query);
  return names === '' ? '' : `,"query":${quoted(capped(names, CAPS.query), CAPS.query + 1)}`;
}

function endText(x: ExchangeFacts): string {
  let text = `"code":"${x.reason}","status":${x.status},"bytesIn":${x.bytesIn},"bytesOut":${x.bytesOut},"us":${micros(x.durationMs)}`;
  if (x.decisionMs > 0) text += `,"decisionUs":${micros(x.decisionMs)}`;
  if (x.upstreamStatus !== 0) text += `,"upstreamStatus":${x.upstreamStatus}`;
  if (x.upstreamMs > 0) text += `,"upstreamUs":${micros(x.upstreamMs)}`;
  if (x.upstreamError !== null) text += `,"upstreamError":${quoted(x.upstreamError, CAPS.address)}`;
  if (x.endedBy !== null) text += `,"endedBy":"${x.endedBy}"`;
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
