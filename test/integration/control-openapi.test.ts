// The OpenAPI document describes what the server does: every call is in it, and real answers match its schemas.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { startControl, WISH } from '../support/control-server.ts';

const CALLS = [
  'GET /v1/grants/{id}',
  'GET /v1/grants/{id}/impact',
  'GET /v1/me/grants',
  'GET /v1/policy',
  'GET /v1/tenants/{tenant}/grants',
  'GET /v1/tenants/{tenant}/status',
  'PATCH /v1/grants/{id}',
  'POST /v1/grants/{id}/revoke',
  'POST /v1/tenants/{tenant}/grants',
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
});
