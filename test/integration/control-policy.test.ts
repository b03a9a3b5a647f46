// `GET /v1/policy` and `POST /v1/policy/explain`: the policy in force and why it decides so, for those whose duty it is.
import { describe, expect, it } from 'vitest';
import { startControl } from '../support/control-server.ts';

describe('the policy in force', () => {
  it.each(['sue', 'key', 'idle'])('is read by %s', async (caller) => {
    await using t = await startControl();
    const { status, body } = await t.call(caller, 'GET', '/v1/policy');
    expect(status).toBe(200);
    expect(body).toEqual({
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      ruleCount: 1,
      defaultEffect: 'allow',
      rules: [
        { id: 'export.all', category: 'export', mode: 'enforce', liftable: true, when: [], message: null },
      ],
      guards: [],
      allowances: [],
      safeRoutes: 0,
      scopeMaps: 0,
      routeSettings: 0,
    });
  });

  it.each(['ada', 'uwe', 'sam'])('is not for %s', async (caller) => {
    await using t = await startControl();
    const { status, body } = await t.call(caller, 'GET', '/v1/policy');
    expect(status).toBe(403);
    expect(body['type']).toMatch(/security_only$/);
  });

  it('needs a credential', async () => {
    await using t = await startControl();
    expect((await t.call('', 'GET', '/v1/policy')).status).toBe(401);
  });

  it('is 503 while no policy is loaded', async () => {
    await using t = await startControl({ policy: null });
    const { status, body } = await t.call('sue', 'GET', '/v1/policy');
    expect(status).toBe(503);
    expect(body['reason']).toBe('policy_unavailable');
  });
});

const EXPLAIN = '/v1/policy/explain';
const EXPORT = { method: 'POST', target: '/exports/all?format=csv' };

describe('an explanation', () => {
  it.each(['sue', 'key', 'idle'])('says to %s which rule denies, and how near each came', async (caller) => {
    await using t = await startControl();
    const { status, body } = await t.call(caller, 'POST', EXPLAIN, EXPORT);
    expect(status).toBe(200);
    const rule = { id: 'export.all', category: 'export', message: null };
    expect(body).toMatchObject({
      decision: 'deny',
      reason: 'rule_denied',
      decidedBy: 'rules',
      rule,
      policyDigest: (await t.call(caller, 'GET', '/v1/policy')).body['digest'],
      canonicalPath: '/exports/all',
      considered: [{ rule, mode: 'enforce', matched: true, because: 'path /exports/** matched' }],
    });
  });

  it.each<[string, object, object]>([
    ['what no rule is about', { target: '/tickets' }, { decision: 'allow', reason: 'ok', rule: null }],
    ['what the grant lifts', { grant: { lifts: ['export'] } }, { decision: 'allow' }],
    ['what the grant only reads', { grant: { access: 'read' } }, { decidedBy: 'access' }],
    ['a target that means two things', { target: '/a/%2e%2e/exports' }, { decidedBy: 'target' }],
    ['an upgrade', { upgrade: true }, { decidedBy: 'upgrade', reason: 'upgrade_refused' }],
  ])('is of the order in which the gate refuses: %s', async (_what, over, expected) => {
    await using t = await startControl();
    const { status, body } = await t.call('sue', 'POST', EXPLAIN, { ...EXPORT, ...over });
    expect(status).toBe(200);
    expect(body).toMatchObject(expected);
  });

  it('repeats neither headers nor the body, and leaves no trace', async () => {
    await using t = await startControl();
    const told = { headers: { Cookie: 'sid=s3cret-1', 'x-a': ['s3cret-2', 'b'] }, body: 's3cret-3' };
    const { status, body } = await t.call('sue', 'POST', EXPLAIN, { ...EXPORT, ...told });
    expect(status).toBe(200);
    expect(JSON.stringify([body, t.logged, t.events, t.audit.events])).not.toContain('s3cret');
  });

  it.each<[string, object, string]>([
    ['no target', { target: undefined }, '/target'],
    ['a target with a space', { target: '/a b' }, '/target'],
    ['a method in lower case', { method: 'post' }, '/method'],
    ['a header with a line break', { headers: { a: 'b\r\nc: d' } }, '/headers/a'],
    ['a name that is none', { headers: { 'a b': 'c' } }, '/headers'],
    ['a key nobody knows', { principal: 'sam' }, '/principal'],
  ])('is refused for %s', async (_what, over, pointer) => {
    await using t = await startControl();
    const { status, body } = await t.call('sue', 'POST', EXPLAIN, { ...EXPORT, ...over });
    expect(status).toBe(400);
    expect((body['errors'] as { pointer: string }[]).map((one) => one.pointer)).toContain(pointer);
  });

  it.each(['ada', 'uwe', 'sam'])('is not for %s', async (caller) => {
    await using t = await startControl();
    const { status, body } = await t.call(caller, 'POST', EXPLAIN, EXPORT);
    expect([status, body['type']]).toEqual([403, 'urn:postern:problem:security_only']);
  });

  it('is 503 while no policy is loaded', async () => {
    await using t = await startControl({ policy: null });
    expect(await t.call('sue', 'POST', EXPLAIN, EXPORT)).toMatchObject({
      status: 503,
      body: { reason: 'policy_unavailable' },
    });
  });
});
