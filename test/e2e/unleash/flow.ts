// The story that a customer would tell: support gets in with a grant and not without, does its work in the real
// product, never exports, and is out the moment the customer says so.
import type { Answer, HttpClient } from './http.ts';
import type { Gate } from './gate.ts';
import { type IdentityProvider, WORKFORCE } from './identity-provider.ts';
import type { Report } from './report.ts';

const FLAGS = '/api/admin/projects/default/features';
const FLAG = 'checkout-banner';
const ENVIRONMENT = `${FLAGS}/${FLAG}/environments/development`;

export interface FlowDeps {
  readonly http: HttpClient;
  readonly gate: Gate;
  readonly report: Report;
  readonly identity: IdentityProvider;
  readonly controlPort: number;
  readonly tenant: string;
}

interface GrantDocument {
  readonly id: string;
  readonly status: string;
}

const GRANT_WISH = {
  access: 'write',
  duration: '1h',
  audience: { org: 'vendor', groups: ['support'] },
  caseRef: 'CASE-4711',
  reason: { type: 'customer_initiated_support', detail: 'The checkout banner does not show.' },
};

/** A POST to the control API; everything of it that this story needs is one. */
function control(deps: FlowDeps, path: string, token: string, json?: unknown): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, host: `127.0.0.1:${deps.controlPort}` };
  return deps.http.send({ port: deps.controlPort, method: 'POST', path, headers, json });
}

/** Nobody enters without a grant, and support cannot make one. Then the customer's admin does. Gives its id. */
export async function openTheGate(deps: FlowDeps): Promise<string> {
  const { gate, report, identity, tenant } = deps;
  const grants = `/v1/tenants/${tenant}/grants`;
  const projects = '/api/admin/projects';
  const anonymous = await gate.ask('GET', projects, { anonymous: true });
  report.equal('no credential', [anonymous.status, anonymous.refusal?.reason], [401, 'no_credential']);
  const early = await gate.ask('GET', projects);
  report.equal('no grant', [early.status, early.refusal?.reason], [403, 'no_grant']);

  const staff = await identity.staffToken(WORKFORCE.controlAudience);
  const own = await control(deps, grants, staff, GRANT_WISH);
  report.equal('support cannot grant itself access', own.status, 403);
  const stranger = await identity.adminToken('other');
  const foreign = await control(deps, grants, stranger, GRANT_WISH);
  report.equal("another customer's admin cannot either", foreign.status, 403);

  const made = await control(deps, grants, await identity.adminToken(tenant), GRANT_WISH);
  report.equal("the customer's admin can", made.status, 201);
  if (made.status !== 201) throw new Error(`no grant, no test: ${made.status} ${made.text}`);
  const grant = JSON.parse(made.text) as GrantDocument;
  report.equal('the grant is active at once', grant.status, 'active');

  const inside = await gate.ask('GET', projects);
  report.equal('with the grant support is in', [inside.status, inside.refusal], [200, null]);
  const elsewhere = await gate.ask('GET', projects, { tenant: 'other' });
  report.equal('and nowhere else', [elsewhere.status, elsewhere.refusal?.reason], [403, 'no_grant']);
  return grant.id;
}

async function isOn(gate: Gate): Promise<unknown> {
  const answer = await gate.ask('GET', ENVIRONMENT);
  return answer.status === 200 ? (JSON.parse(answer.text) as { enabled: unknown }).enabled : answer.status;
}

/** Work that support is there for, done in the product itself. */
export async function workInside({ gate, report }: FlowDeps): Promise<void> {
  const made = await gate.ask('POST', FLAGS, { json: { name: FLAG, type: 'release' } });
  report.equal('support makes a flag', [made.status, made.refusal], [201, null]);
  report.equal('it is off', await isOn(gate), false);
  const on = await gate.ask('POST', `${ENVIRONMENT}/on`);
  report.equal('support turns it on', [on.status, on.refusal], [200, null]);
  report.equal('it is on', await isOn(gate), true);
  const off = await gate.ask('POST', `${ENVIRONMENT}/off`);
  report.equal('support turns it off', [off.status, off.refusal], [200, null]);
  report.equal('it is off again', await isOn(gate), false);
  const history = await gate.ask('GET', `/api/admin/events/${FLAG}`);
  report.check('its history tells of it', history.text.includes('feature-environment-enabled'), history.text);

  const wanted = { features: [FLAG], environment: 'development' };
  const exported = await gate.ask('POST', '/api/admin/features-batch/export', { json: wanted });
  report.equal(
    'the export is denied',
    [exported.status, exported.refusal?.rule],
    [403, 'unleash.export.features'],
  );
  report.check(
    'the refusal says why and nothing about the application',
    exported.text.includes('Support staff cannot export feature flags.') &&
      !exported.text.includes('127.0.0.1'),
    exported.text,
  );
  const mail = await gate.ask('POST', '/auth/reset/password-email', {
    json: { email: 'grace@acme.example.com' },
  });
  report.equal('mail is denied', [mail.status, mail.refusal?.rule], [403, 'unleash.email.password-reset']);
}

/** After this returns nothing more may go through. */
export async function shutTheGate(deps: FlowDeps, grantId: string): Promise<void> {
  const { gate, report, identity, tenant } = deps;
  const token = await identity.adminToken(tenant);
  const revoked = await control(deps, `/v1/grants/${grantId}/revoke`, token);
  report.equal('the customer revokes', revoked.status, 200);
  const status = revoked.status === 200 ? (JSON.parse(revoked.text) as GrantDocument).status : revoked.text;
  report.equal('the grant says so', status, 'revoked');
  for (const [method, path] of [
    ['GET', '/api/admin/projects'],
    ['POST', `${ENVIRONMENT}/on`],
  ] as const) {
    const late = await gate.ask(method, path);
    const isShut = late.status === 403 && ['no_grant', 'grant_revoked'].includes(late.refusal?.reason ?? '');
    report.check(
      `${method} after the revoke is refused`,
      isShut,
      `${late.status} ${late.text.slice(0, 200)}`,
    );
  }
}
