// The cases of a PolicyTest: requests, under which circumstances, and what must become of them.
// Guarantees: a case says what it expects without contradiction. Cold.
import { isSeq } from 'yaml';
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Credential } from '#model/principal.ts';
import { type DenialCode, REASONS } from '#model/reason.ts';
import type { JudgedAnswer, RequestHeaders } from './judge.ts';
import { readBodyFields, readRequestHeaders, readResponse } from './policy-test-request.ts';
import { type Position, suggestion } from './problem.ts';
import { RULE_ID } from './route-policy.ts';
import { SESSION } from './when.ts';
import { type FileReader, report } from './yaml-document.ts';
import { type Field, quoted, readChoice, readFields, readList, readText } from './yaml-fields.ts';

/** Also the subject it is judged under (`JudgedSubject`). */
export interface TestCase {
  readonly name: string;
  readonly at: Position;
  readonly grant: Grant;
  readonly credential: Credential | null;
  readonly tenant: TenantId | null;
  readonly tenantClass: string | null;
  /** Null: not known. */
  readonly hasSession: boolean | null;
  readonly requests: readonly TestRequest[];
  readonly host: string;
  /** The content type included. */
  readonly headers: RequestHeaders;
  /** Empty: no body. */
  readonly body: Buffer;
  readonly upgrade: boolean;
  readonly expect: 'allow' | 'deny';
  /** The rule or guard that must be reported; null: not looked at, or the request is allowed. */
  readonly rule: string | null;
  readonly reason: DenialCode | null;
  /** The allowance that must cover it; null: not looked at. */
  readonly allowance: string | null;
  /** Null: not looked at. Sorted. */
  readonly shadow: readonly string[] | null;
  /** What the upstream answers, for the guards; null: the answer is not judged. */
  readonly answer: JudgedAnswer | null;
}

export interface TestRequest {
  readonly method: string;
  readonly rawTarget: string;
  readonly at: Position;
}

/** What the cases of one document share. */
export interface CaseContext {
  readonly reader: FileReader;
  readonly grants: ReadonlyMap<string, Grant>;
  readonly principals: ReadonlyMap<string, Credential>;
  /** Of cases that name no grant. */
  readonly plainGrant: Grant;
  readonly isAllowList: boolean;
}

const CASE = {
  what: 'a case',
  required: ['name', 'requests', 'expect'],
  optional: [
    [
      'grant',
      'principal',
      'tenant',
      'tenantClass',
      'session',
      'host',
      'headers',
      'contentType',
      'body',
      'formMethods',
    ],
    ['upgrade', 'response', 'rule', 'reason', 'allowance', 'shadow'],
  ].flat(),
};
const SENTENCE = { maxLength: 200 };
const HOST = { pattern: /^[!-~]+$/, form: 'a host as in the Host header', maxLength: 260 };

export function readCase(context: CaseContext, item: Field): TestCase | null {
  const { reader } = context;
  const fields = readFields(reader, item.node, item.offset, CASE);
  if (fields === null) return null;
  const name = readOptionalText(reader, fields.get('name'), SENTENCE);
  const requestsField = fields.get('requests');
  const requests = requestsField && readRequests(reader, requestsField);
  const grant = readNamed(reader, fields.get('grant'), context.grants, 'grants');
  const credential = readNamed(reader, fields.get('principal'), context.principals, 'principals');
  const body = readBodyFields(reader, fields);
  const headers = readRequestHeaders(reader, fields.get('headers'), body.type);
  const circumstances = readCircumstances(reader, fields);
  const answer = readResponse(reader, fields.get('response'));
  const expected = readExpected(context, item, fields);
  if (!name || !requests || grant === null || credential === null || answer === null || !expected)
    return null;
  return {
    name,
    at: reader.positionAt(fields.get('name')?.valueOffset ?? item.offset),
    grant: grant ?? context.plainGrant,
    credential: credential ?? null,
    requests,
    headers,
    body: body.bytes,
    ...circumstances,
    ...expected,
    answer: answer ?? null,
  };
}

function readCircumstances(
  reader: FileReader,
  fields: ReadonlyMap<string, Field>,
): Pick<TestCase, 'host' | 'upgrade' | 'tenant' | 'tenantClass' | 'hasSession'> {
  const upgrade = fields.get('upgrade');
  const session = fields.get('session');
  return {
    host: readOptionalText(reader, fields.get('host'), HOST) ?? '',
    upgrade: upgrade !== undefined && readChoice(reader, upgrade, ['websocket']) !== null,
    tenant: readOptionalText(reader, fields.get('tenant'), SENTENCE) as TenantId | null,
    tenantClass: readOptionalText(reader, fields.get('tenantClass'), SENTENCE),
    hasSession: session === undefined ? null : readChoice(reader, session, SESSION) === 'open',
  };
}

function readOptionalText(
  reader: FileReader,
  field: Field | undefined,
  rule: Parameters<typeof readText>[2],
): string | null {
  return field === undefined ? null : readText(reader, field, rule);
}

/** Undefined where there is no such key, null after a report. */
function readNamed<T>(
  reader: FileReader,
  field: Field | undefined,
  named: ReadonlyMap<string, T>,
  where: string,
): T | null | undefined {
  if (field === undefined) return undefined;
  const name = readText(reader, field, {});
  if (name === null) return null;
  const found = named.get(name);
  if (found !== undefined) return found;
  const hint = suggestion(name, [...named.keys()]);
  report(reader, field.valueOffset, `${field.name} ${quoted(name)} is not named under ${where}${hint}`);
  return null;
}

type Expected = Pick<TestCase, 'expect' | 'rule' | 'reason' | 'allowance' | 'shadow'>;

const CODES = Object.keys(REASONS).filter((code) => code !== 'ok' && code !== 'rule_denied') as DenialCode[];

/** Reasons that a rule or a guard may have: there a case may name both. */
const OF_RULES: ReadonlySet<DenialCode> = new Set([
  'body_uninspectable',
  'body_too_large',
  'response_guarded',
] as const);

function readExpected(
  context: CaseContext,
  item: Field,
  fields: ReadonlyMap<string, Field>,
): Expected | null {
  const { reader } = context;
  const expectField = fields.get('expect');
  const expect = expectField && readChoice(reader, expectField, ['allow', 'deny'] as const);
  const rule = readOptionalText(reader, fields.get('rule'), RULE_ID);
  const reasonField = fields.get('reason');
  const reason = reasonField === undefined ? null : readChoice(reader, reasonField, CODES);
  const allowance = readOptionalText(reader, fields.get('allowance'), RULE_ID);
  const shadowField = fields.get('shadow');
  const shadow =
    shadowField && readOptionalList(reader, shadowField, (one) => readText(reader, one, RULE_ID));
  const wrong = expect && contradictionOf(expect, fields, reason, context.isAllowList);
  if (wrong) report(reader, expectField?.offset ?? item.offset, wrong);
  if (!expect || wrong) return null;
  return { expect, rule, reason, allowance, shadow: shadow?.toSorted() ?? null };
}

/** A denial is a rule's or has another reason, or is a rule's for a reason of its own; an allowed request has neither. */
function contradictionOf(
  expect: 'allow' | 'deny',
  fields: ReadonlyMap<string, Field>,
  reason: DenialCode | null,
  isAllowList: boolean,
): string | null {
  const hasRule = fields.has('rule');
  const hasReason = fields.has('reason');
  if (expect === 'allow') {
    if (hasRule || hasReason) return 'rule and reason belong to a case that expects deny';
    if (!fields.has('allowance') || isAllowList) return null;
    return 'allowance belongs to a document with defaultEffect: deny';
  }
  if (fields.has('allowance')) return 'allowance belongs to a case that expects allow';
  if (!hasRule && !hasReason) return 'a case that expects deny needs either rule or reason';
  if (!hasRule || !hasReason || reason === null || OF_RULES.has(reason)) return null;
  return `a case names rule and reason together only for ${[...OF_RULES].join(', ')}`;
}

/** `[]` is as good as leaving it out. */
export function readOptionalList(
  reader: FileReader,
  field: Field,
  readItem: (item: Field) => string | null,
): readonly string[] | null {
  return isEmptyList(field) ? [] : readList(reader, field, readItem);
}

export function isEmptyList({ node }: Field): boolean {
  return isSeq(node) && node.items.length === 0;
}

const REQUEST = {
  pattern: /^[A-Z][A-Z-]* [!-~]+$/,
  form: 'an upper-case method, one space and a raw target',
  maxLength: 10_000,
};

function readRequests(reader: FileReader, field: Field): readonly TestRequest[] | null {
  const texts = new Map<string, Position>();
  const read = readList(reader, field, (item) => {
    const text = readText(reader, item, REQUEST);
    if (text !== null) texts.set(text, reader.positionAt(item.offset));
    return text;
  });
  if (read === null) return null;
  return [...texts].map(([text, at]) => {
    const space = text.indexOf(' ');
    return { method: text.slice(0, space), rawTarget: text.slice(space + 1), at };
  });
}
