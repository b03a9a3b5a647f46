// The OpenAPI document describes what the server does: every call is in it, and real answers match its schemas.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { record, visit } from '../support/control-audit.ts';
import { startControl, WISH } from '../support/control-server.ts';

const CALLS = [
  'DELETE /v1/subjects/{id}',
  'GET /v1/grants/{id}',
  'GET /v1/grants/{id}/impact',
  'GET /v1/grants/{id}/revisions',
  'GET /v1/me/grants',
  'GET /v1/me/verifications',
  'GET /v1/policy',
  'GET /v1/tenants/{tenant}/access',
  'GET /v1/tenants/{tenant}/access-history',
  'GET /v1/tenants/{tenant}/grants',
  'GET /v1/tenants/{tenant}/records',
  'GET /v1/tenants/{tenant}/settings',
  'GET /v1/tenants/{tenant}/status',
  'PATCH /v1/grants/{id}',
  'POST /v1/grants/{id}/revoke',
  'POST /v1/grants/{id}/verify',
  'POST /v1/tenants/{tenant}/grants',
  'PUT /v1/tenants/{tenant}/access',
  'PUT /v1/tenants/{tenant}/settings',
];

describe('the OpenAPI document', () => {
  it('is version 3.1, needs no credential, and lists exactly the calls there are', async () => {
    await using t = await startControl();
    const { status, body } = await t.call('', 'GET', '/openapi.json');
    expect(status).toBe(200);
    expect(body['openapi']).toBe('3.1.0');
    const paths = body['paths'] as Record<string, Record<string, unknown>>;
    const calls = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(calls.toSorted()).toEqual(CALLS);
  });

  it('describes the answers as they are', async () => {
    await using t = await startControl();
    const document = (await t.call('', 'GET', '/openapi.json')).body;
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'doc');
    const matches = (name: string, value: unknown) =>
      ajv.validate({ $ref: `doc#/components/schemas/${name}` }, value) || ajv.errors;
    const made = await t.call('ada', 'POST', '/v1/tenants/acme/grants', WISH);
    expect(matches('Grant', made.body)).toBe(true);
    const revoked = await t.call('ada', 'POST', `/v1/grants/${String(made.body['id'])}/revoke`);
    expect(matches('Grant', revoked.body)).toBe(true);
    const refused = await t.call('ada', 'POST', '/v1/tenants/acme/grants', {});
    expect(matches('Problem', refused.body)).toBe(true);
  });

  it('describes the answers of the audit, and its own examples, as they are', async () => {
    await using t = await startControl();
    const document = (await t.call('', 'GET', '/openapi.json')).body;
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'doc');
    const matches = (ref: string, value: unknown) =>
      ajv.validate({ $ref: `doc#${ref}` }, value) || ajv.errors;
    await t.call('ada', 'POST', '/v1/tenants/acme/grants', WISH);
    t.audit.visits = [visit(), visit({ actor: null, grant: null, reason: null })];
    t.audit.records = [record()];
    const answers = { access: 'ActiveGrant', 'access-history': 'Visit', records: 'AuditRecord' };
    for (const [call, name] of Object.entries(answers)) {
      const { body } = await t.call('ada', 'GET', `/v1/tenants/acme/${call}`);
      const item = `/components/schemas/${name}`;
      for (const one of body['items'] as unknown[]) expect(matches(item, one), call).toBe(true);
      const answer = `/paths/~1v1~1tenants~1{tenant}~1${call}/get/responses/200/content/application~1json/schema`;
      expect(matches(answer, body), call).toBe(true);
    }
    const { schemas } = document['components'] as {
      schemas: Record<string, { examples?: readonly unknown[] }>;
    };
    for (const name of ['Visit', 'AuditRecord']) {
      const examples = schemas[name]?.examples ?? [];
      expect(examples).toHaveLength(1);
      expect(matches(`/components/schemas/${name}`, examples[0])).toBe(true);
    }
  });
});
