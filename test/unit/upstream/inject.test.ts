import { describe, expect, it } from 'vitest';
import type { TenantId } from '#model/ids.ts';
import type { RequestId } from '#model/ids.ts';
import {
  ABSENT,
  compileInjections,
  type Secrets,
  SECRET_MISSING,
  type TemplateFacts,
  UNSAFE,
} from '#upstream/inject.ts';
import { credentialOf, grantOf } from '../../support/upstream-exchange.ts';

const SECRETS: Secrets = { token: 't0p', perTenant: { acme: 'a-key' }, perRole: { agent: 'r-key' } };

function facts(changes: Partial<TemplateFacts> = {}): TemplateFacts {
  return {
    credential: credentialOf(),
    grant: grantOf({ actAs: 'user-7', caseRef: 'C-1' }),
    tenant: 'acme' as TenantId,
    requestId: 'req-1' as RequestId,
    ...changes,
  };
}

function render(template: string, changes: Partial<TemplateFacts> = {}): unknown {
  const result = compileInjections([{ name: 'X-T', template }], SECRETS);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.injections[0]?.render(facts(changes));
}

function named(name: string): unknown {
  return render('{principal.name}', { credential: credentialOf({ name }) });
}

describe('a template', () => {
  it.each([
    ['Bearer {secret:token}', 'Bearer t0p'],
    ['{principal.email}', 'alice@vendor.test'],
    [
      '{principal.id}/{principal.issuer}/{principal.org}/{principal.name}',
      'alice/https://idp.test/vendor/Alice',
    ],
    [
      '{grant.id} {grant.actAs} {grant.role} {grant.caseRef} {grant.access} {grant.revision}',
      'grt_01 user-7 agent C-1 write 3',
    ],
    ['{tenant} {requestId}', 'acme req-1'],
    ['Basic {secret:perTenant[{tenant}]}', 'Basic a-key'],
    ['{secret:perRole[{grant.role}]}', 'r-key'],
    ['{grant.roles}', 'agent'],
    ['constant', 'constant'],
  ])('%s becomes %s', (template, value) => {
    expect(render(template)).toBe(value);
  });

  it('lists roles and workspaces, and no name passes for two', () => {
    const grant = grantOf({
      roles: ['agent', 'a,b', '50%2C'],
      workspaces: [
        { id: 'sales', roles: ['viewer', 'agent'] },
        { id: 'zürich,1', roles: [] },
      ],
    });
    expect(render('{grant.roles}', { grant })).toBe('agent,a%2Cb,50%252C');
    expect(render('{grant.workspaces}', { grant })).toBe('sales,z%C3%BCrich%2C1');
    expect(render('{grant.workspaces}', { grant: grantOf({ workspaces: [] }) })).toBe(ABSENT);
    expect(render('{grant.roles}', { grant: grantOf({ roles: [] }) })).toBe(ABSENT);
  });

  it('names the workspace of the request and the first role in it, and nothing where it names none', () => {
    const workspaces = [
      { id: 'sales', roles: ['viewer', 'agent'] },
      { id: 'hr', roles: [] },
    ];
    const grant = grantOf({ roles: ['administrator'], workspaces });
    const of = (template: string, workspace: string | null) => render(template, { grant, workspace });
    expect(of('{workspace} {workspace.role}', 'sales')).toBe('sales viewer');
    expect(of('{workspace}', 'hr')).toBe('hr');
    for (const workspace of ['hr', 'other', null]) {
      expect(of('{workspace.role}', workspace)).toBe(ABSENT);
      expect(of('{secret:perRole[{workspace.role}]}', workspace)).toBe(SECRET_MISSING);
    }
    expect(of('{workspace}', null)).toBe(ABSENT);
    expect(of('{workspace}', 'a\r\nb')).toBe(UNSAFE);
  });

  it('whose value is absent gives no header', () => {
    expect(render('{grant.actAs}', { grant: grantOf() })).toBe(ABSENT);
    expect(render('x {principal.email}', { credential: credentialOf({ email: null }) })).toBe(ABSENT);
    expect(render('{grant.role}', { grant: grantOf({ roles: [] }) })).toBe(ABSENT);
  });

  it('whose secret has no entry for this tenant or role says so, names of Object.prototype included', () => {
    expect(render('{secret:perTenant[{tenant}]}', { tenant: 'globex' as TenantId })).toBe(SECRET_MISSING);
    expect(render('{secret:perTenant[{tenant}]}', { tenant: '__proto__' as TenantId })).toBe(SECRET_MISSING);
    expect(render('{secret:perTenant[{tenant}]}', { tenant: 'constructor' as TenantId })).toBe(
      SECRET_MISSING,
    );
    expect(render('{secret:perRole[{grant.role}]}', { grant: grantOf({ roles: [] }) })).toBe(SECRET_MISSING);
  });

  it('encodes what is not visible ASCII and refuses what could end the line', () => {
    expect(named('Zo\u00eb \u5c71')).toBe('Zo%C3%AB %E5%B1%B1');
    expect(named('100% ok')).toBe('100% ok');
    expect(named('\ud800')).toBe('%EF%BF%BD');
    for (const bad of ['a\r\nX: 1', 'a\u0000', 'a\tb', '\u007f', '\u0085']) expect(named(bad)).toBe(UNSAFE);
  });
});

describe('compiling', () => {
  it('reports every problem of every template with its position', () => {
    const result = compileInjections(
      [
        { name: 'X A', template: 'ok' },
        { name: 'Host', template: 'ok' },
        { name: 'X-B', template: 'a {nobody} {secret:none} {secret:perTenant} {secret:token[{tenant}]}' },
        { name: 'X-C', template: '{secret:perTenant[{nobody}]} {open' },
        { name: 'x-b', template: 'caf\u00e9 }' },
        { name: 'X-D', template: '{secret:__proto__}' },
      ],
      SECRETS,
    );
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(result.problems.map((one) => `${one.header}:${one.position} ${one.message}`)).toEqual([
      'X A:0 is not a header name',
      'Host:0 is set by the gate itself',
      'X-B:2 names the unknown field {nobody}',
      'X-B:11 names the unknown secret none',
      'X-B:25 must index the secret perTenant, which is a map',
      'X-B:44 indexes the secret token, which is one value',
      'X-C:0 indexes by the unknown field nobody',
      'X-C:29 has a { without its }',
      'x-b:0 is injected twice',
      'x-b:0 holds a character outside visible ASCII',
      'x-b:5 has a } without its {',
      'X-D:0 names the unknown secret __proto__',
    ]);
  });
});
