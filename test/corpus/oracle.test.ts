// The oracle on requests that a gate wrongly let through, and on those that it may let through.
import { describe, expect, it } from 'vitest';
import { CORPUS_POLICY } from '../support/corpus-gate.ts';
import type { RecordedRequest } from '../support/recording-upstream.ts';
import { deniedRoutes, leaksOf, toldOf } from './oracle.ts';

const DENIED = deniedRoutes(CORPUS_POLICY);
const FORM = ['Content-Type', 'application/x-www-form-urlencoded'] as const;

function recorded(line: string, form?: string): RecordedRequest {
  const [method = '', target = ''] = line.split(' ');
  return { method, target, headers: form === undefined ? [] : [FORM], body: form ?? '' };
}

function rulesOf(line: string, form?: string): string[] {
  return [...new Set(leaksOf(recorded(line, form), DENIED).map(({ rule }) => rule))];
}

describe('the leak oracle', () => {
  it('knows every rule of the corpus that needs no body', () => {
    expect(DENIED.map(({ rule }) => rule)).toEqual(['d1', 'd2', 'd3', 'd4', 'd7', 'd7', 'd7', 'm1']);
  });

  it.each([
    ['GET /exports', 'd1'],
    ['GET /a/../exports/1', 'd1'],
    ['GET /%2565xports', 'd1'],
    ['GET /exports;x', 'd1'],
    ['GET /EXPORTS', 'd1'],
    ['GET /exports.averylongformat', 'd1'],
    ['GET /billing/', 'd3'],
    ['PURGE /billing', 'd3'],
    ['POST /api/v1/emails/send', 'd2'],
    ['QUERY /api/v1/emails/send', 'd2'],
    ['GET /api/v1/emails/send?_method=post', 'd2'],
    ['GET /api/v1/emails/send?.method=POST', 'd2'],
    ['GET /reports?format=csv', 'd4'],
    ['HEAD /reports?x=1;FORMAT[]=%63sv', 'd4'],
    ['GET /reports?a[format]=xlsx', 'd4'],
    ['GET /reports/?+format=csv', 'd4'],
    ['GET /reports.csv', 'd4'],
    ['GET /reports.csv?format=pdf', 'd4'],
    ['GET /v1/customers%3Aexport', 'd7'],
    ['GET /v1/%24EXPORT', 'd7'],
    ['POST /v1/Export%28%29', 'd7'],
    ['DELETE /records/7', 'm1'],
    ['POST /records/7.json?_method=DELETE', 'm1'],
  ])('sees that %s is denied by %s', (line, rule) => {
    expect(rulesOf(line)).toEqual([rule]);
  });

  it('sees a method that a form names', () => {
    expect(rulesOf('POST /records/7', 'a=1&_method=delete')).toEqual(['m1']);
    expect(rulesOf('POST /records/7', 'a=_method&b=DELETE')).toEqual([]);
    expect(leaksOf({ ...recorded('POST /records/7'), body: '_method=DELETE' }, DENIED)).toEqual([]);
  });

  it.each([
    'GET /exportsx',
    'GET /my/exports',
    'GET /?path=/exports',
    'GET /api/v1/emails/send',
    'POST /api/v1/emails',
    'GET /reports?format=pdf',
    'GET /reports?format=%2563sv',
    'GET /reports/7?format=csv',
    'GET /records/7',
    'DELETE /records',
    'DELETE /records/7/notes',
    'GET /v1/customers',
    'POST /graphql',
    'POST /rpc',
    'POST /lists?format=csv',
  ])('has nothing against %s', (line) => {
    expect(rulesOf(line)).toEqual([]);
  });

  it('says which reading landed there', () => {
    const leaks = leaksOf(recorded('GET /exports;x'), DENIED);
    expect(leaks).toEqual([{ rule: 'd1', reading: 'servlet', path: '/exports', request: 'GET /exports;x' }]);
    expect(toldOf(leaks)).toEqual(['GET /exports;x arrived, denied by d1 as read by servlet (/exports)']);
  });
});
