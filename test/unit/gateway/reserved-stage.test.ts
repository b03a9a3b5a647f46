// Nothing below Postern's own prefix is forwarded, however it is spelled (class 16); only the key set is answered.
import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../../src/gateway/exchange.ts';
import { parseTarget } from '../../../src/gateway/request-target.ts';
import { reservedStage } from '../../../src/gateway/stages/reserved.ts';
import { PASS } from '#model/verdict.ts';

function run(raw: string, method = 'GET') {
  const target = parseTarget(raw);
  if ('reason' in target) return { verdict: target, answer: null };
  const x = { target, routePath: target.path, method, localAnswer: null } as unknown as Exchange;
  return { verdict: reservedStage({ jwks: '{"keys":[]}', browser: null }).run(x), answer: x.localAnswer };
}

describe('the reserved prefix', () => {
  it.each([
    '/-/postern',
    '/-/postern/',
    '/-/postern/grants',
    '/-/POSTERN/jwks.json',
    '/-;x/postern/jwks.json',
    '/-/postern;a=b/jwks.json',
    '/;/-/postern/x',
    '/-./postern/x',
    '/%EF%BC%8D/postern/x',
    '/-/%EF%BD%90ostern/x',
    '/-%E2%80%8B/postern/x',
    '/%2d/postern/x',
    '/-/postern/jwks.json/',
  ])('is not found, and not forwarded: %s', (raw) => {
    const { verdict, answer } = run(raw);
    expect(verdict).toMatchObject({ reason: 'not_found' });
    expect(answer).toBeNull();
  });

  it.each(['/', '/-', '/-/other', '/posterns', '/x/-/postern', '/-/posternx', '/%20/postern', '/;x'])(
    'is not what merely looks like it: %s',
    (raw) => {
      expect(run(raw).verdict).toBe(PASS);
    },
  );

  it('answers the key set to a reader, and to nobody else', () => {
    expect(run('/-/postern/jwks.json').answer).toMatchObject({ status: 200, body: '{"keys":[]}' });
    expect(run('/-/postern/jwks.json', 'HEAD').answer).not.toBeNull();
    expect(run('/-/postern/jwks.json', 'POST')).toMatchObject({
      answer: null,
      verdict: { reason: 'method_not_allowed' },
    });
  });
});
