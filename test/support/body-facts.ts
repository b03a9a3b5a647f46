// Bodies and the facts around them, for tests of what rules see of a body.
import type { BodyAnswer, BodySelectorDraft } from '#policy/body-selector.ts';
import { compileBodySelector } from '#policy/body-compile.ts';
import { bodyOf } from '#policy/read-body.ts';
import type { RequestBody } from '#policy/request-body.ts';
import { facts, type FactsOptions } from './policy-sets.ts';

export const JSON_TYPE = 'application/json';
export const FORM_TYPE = 'application/x-www-form-urlencoded';
export const GRAPHQL_TYPE = 'application/graphql';

export type Values = readonly string[] | null;

/** By pointer. */
export function jsonDraft(fields: Readonly<Record<string, Values>>): BodySelectorDraft {
  return { kind: 'json', fields: Object.entries(fields).map(([name, values]) => ({ name, values })) };
}

export function formDraft(fields: Readonly<Record<string, Values>>): BodySelectorDraft {
  return { kind: 'form', fields: Object.entries(fields).map(([name, values]) => ({ name, values })) };
}

export function rpcDraft(...methods: readonly string[]): BodySelectorDraft {
  return { kind: 'jsonrpc', methods };
}

/** Any type. */
export function graphqlDraft(...operations: readonly string[]): BodySelectorDraft {
  return { kind: 'graphql', types: null, operations };
}

export function judge(draft: BodySelectorDraft, body: RequestBody, options: FactsOptions = {}): BodyAnswer {
  return compileBodySelector(draft).judge(body, facts('/graphql', { method: 'POST', ...options, body }));
}

export function judgeJson(draft: BodySelectorDraft, value: unknown, options: FactsOptions = {}): BodyAnswer {
  return judge(draft, bodyOf(JSON.stringify(value), JSON_TYPE), options);
}

/** Raw, so that members may stand as an attacker writes them. */
export function judgeText(draft: BodySelectorDraft, text: string, type = JSON_TYPE): BodyAnswer {
  return judge(draft, bodyOf(text, type));
}
