// The shipped JSON Schema and the loader say the same: editors accept what loads and mark what does not.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { problemsOf } from '../../support/policy-sets.ts';

const validate = new Ajv({ allErrors: true, allowUnionTypes: true, strictRequired: false }).compile(
  JSON.parse(readFileSync('config/schemas/policy.schema.json', 'utf8')) as object,
);

function accepts(text: string): boolean {
  return parseAllDocuments(text).every((document) => validate(document.toJS()));
}

const FOLDERS = ['policies', 'policies/tests', 'policies/packs', 'policies/packs/tests', 'test/policy'];
const FILES = FOLDERS.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, name)),
);

const HEAD = (kind: string) => `apiVersion: postern/v1\nkind: ${kind}\nmetadata: { name: x }\nspec: `;
const RULE = (text: string) =>
  `${HEAD('RoutePolicy')}{ rules: [{ id: r, category: c, match: [{ paths: ["/a"] }]${text} }] }`;
const CASE = (text: string) =>
  `${HEAD('PolicyTest')}{ now: "2026-01-15T09:00:00Z", cases: [{ name: n, requests: [GET /a], ${text} }] }`;

const GOOD = [
  RULE(''),
  RULE(', mode: shadow, liftable: true, message: m'),
  RULE(', mode: enforce')
    .replace('"/a"', '"/a"], methods: [GET], query: { a: "*", b: [c, 1, true] }, paths: ["/b"')
    .replace('paths: ["/a"], ', ''),
  `${HEAD('RouteSettings')}{ paths: ["/a"], allow: [encodedSlash], headers: [a_b], maxBody: 1MiB, timeouts: { idle: 1s } }`,
  CASE('expect: allow'),
  CASE('expect: deny, rule: r'),
];
const BAD = [
  RULE(', mod: shadow'),
  RULE(', mode: off'),
  RULE(', liftable: 1'),
  RULE(', message: ""'),
  RULE('').replace('id: r', 'id: R'),
  RULE('').replace('category: c, ', ''),
  RULE('').replace('"/a"', ''),
  RULE('').replace('"/a"', '"a"'),
  RULE('').replace('paths: ["/a"]', 'paths: ["/a"], methods: [get]'),
  RULE('').replace('paths: ["/a"]', 'paths: ["/a"], query: { a: x }'),
  RULE('').replace('paths: ["/a"]', 'paths: ["/a"], query: {}'),
  RULE('').replace('postern/v1', 'postern/v2'),
  RULE('').replace('RoutePolicy', 'RouteAllowances'),
  RULE('').replace('{ name: x }', '{}'),
  `${HEAD('RouteSettings')}{ paths: ["/a"] }`,
  `${HEAD('RouteSettings')}{ paths: ["/a"], allow: [everything] }`,
  `${HEAD('RouteSettings')}{ paths: ["/a"], headers: [plain] }`,
  `${HEAD('RouteSettings')}{ paths: ["/a"], maxBody: 5 }`,
  `${HEAD('RouteSettings')}{ paths: ["/a"], timeouts: { read: 1s } }`,
  CASE('expect: maybe'),
  CASE('expect: allow, requests: [GET]').replace('requests: [GET /a], ', ''),
  CASE('expect: allow').replace('2026-01-15T09:00:00Z', 'tomorrow'),
];

describe('the policy schema', () => {
  it.each(FILES)('accepts %s', (file) => {
    for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
      validate(document.toJS());
      expect(validate.errors).toBeNull();
    }
  });

  it.each(FILES)('is named at the head of %s', (file) => {
    const up = '../'.repeat(file.split('/').length - 1);
    const [first] = readFileSync(file, 'utf8').split('\n');
    expect(first).toBe(`# yaml-language-server: $schema=${up}config/schemas/policy.schema.json`);
  });

  it('accepts what the loader accepts', () => {
    for (const text of GOOD) {
      expect(accepts(text), text).toBe(true);
      const found = problemsOf(text).filter(({ message }) => message !== 'the set holds no deny rule');
      expect(found, text).toEqual([]);
    }
  });

  it('refuses what the loader refuses', () => {
    for (const text of BAD) {
      expect(accepts(text), text).toBe(false);
      const found = problemsOf(text).filter(({ message }) => message !== 'the set holds no deny rule');
      expect(found, text).not.toEqual([]);
    }
  });
});
