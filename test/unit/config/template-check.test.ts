import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TEMPLATE_FIELDS, templateProblems } from '#config/template-check.ts';
import { injectedNameProblem } from '#config/header-names.ts';
import { compileInjections } from '#upstream/inject.ts';
import { problemsOf, SMALLEST, told } from '../../support/config-files.ts';

const SECRETS = { token: 'x', tokens: { acme: 'x' } };
const kindOf = (name: string) => (name === 'token' ? 'one' : name === 'tokens' ? 'map' : null);

function upstreamAccepts(name: string, template: string): boolean {
  return compileInjections([{ name, template }], SECRETS).ok;
}

describe('a template', () => {
  it.each([
    'plain',
    '',
    'Bearer {secret:token}',
    '{secret:tokens[{tenant}]}',
    '{secret:tokens[{grant.role}]}',
    ...TEMPLATE_FIELDS.map((field) => `a {${field}} b`),
  ])('may be %j, here and where it is compiled', (template) => {
    expect(templateProblems(template, kindOf)).toEqual([]);
    expect(upstreamAccepts('X-A', template)).toBe(true);
  });

  it.each([
    ['{secret:nothing}', '{secret:nothing} names no secret under secrets'],
    ['{secret:token[{tenant}]}', '{secret:token[{tenant}]} indexes a secret that is one value'],
    ['{secret:tokens}', '{secret:tokens} must index its map: {secret:tokens[{tenant}]}'],
    ['{secret:tokens[{nobody}]}', '{secret:tokens[{nobody}]} indexes by something unknown'],
    ['{principal.password}', `{principal.password} is unknown; known are ${TEMPLATE_FIELDS.join(', ')}`],
    ['{"a": "hunter2"}', 'a placeholder in braces is unknown'],
    ['{tenant', 'a { and a } must stand in pairs'],
    ['tenant}', 'a { and a } must stand in pairs'],
    ['{{tenant}}', 'a placeholder in braces is unknown'],
    ['{}', 'a placeholder in braces is unknown'],
    ['line\nbreak', 'only visible ASCII and spaces may stand in a header'],
    ['ünicode', 'only visible ASCII and spaces may stand in a header'],
  ])('may not be %j, here or where it is compiled', (template, expected) => {
    expect(templateProblems(template, kindOf)).toEqual([expected]);
    expect(upstreamAccepts('X-A', template)).toBe(false);
  });

  it('is accepted here exactly when it can be compiled', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      'secret:',
      'token',
      'tokens',
      'tenant',
      'principal.email',
      'grant.role',
      ' ',
      'a',
      'é',
      '\n',
      '{tenant}',
      '[{tenant}]',
    );
    const template = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(
        template,
        (one) => (templateProblems(one, kindOf).length === 0) === upstreamAccepts('X-A', one),
      ),
      { numRuns: 5000 },
    );
  });
});

describe('the name of an injected header', () => {
  it.each([
    'Host',
    'connection',
    'Content-Length',
    'Via',
    'X-Forwarded-For',
    'x-request-id',
    'a b',
    '',
    'ä',
    'TE',
    'Upgrade',
  ])('may not be %j, here or where it is compiled', (name) => {
    expect(injectedNameProblem(name)).not.toBeNull();
    expect(upstreamAccepts(name, 'x')).toBe(false);
  });

  it.each(['Authorization', 'X-Support-User', 'Cookie', 'X-Switch-User'])('may be %s', (name) => {
    expect(injectedNameProblem(name)).toBeNull();
    expect(upstreamAccepts(name, 'x')).toBe(true);
  });

  it('stands once, and is not the assertion', () => {
    const text = SMALLEST.replace(
      '3000"',
      '3000", inject: { X-A: a, x-a: b, x-support-assertion: c, Authorization: "Bearer {secret:a}" }',
    );
    expect(told(problemsOf(text))).toEqual([
      '1:66 "x-a" is injected twice, but for letter case',
      '1:90 "x-support-assertion" carries the assertion',
      '1:108 Authorization: {secret:a} names no secret under secrets',
    ]);
  });
});
