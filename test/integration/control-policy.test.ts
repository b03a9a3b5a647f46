// `GET /v1/policy`: the policy in force, for those whose duty it is.
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
