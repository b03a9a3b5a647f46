// A whole gate whose clock travels, with credentials that are good whenever it has got to: what happens after weeks.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Gate, startGate } from './gate.ts';
import { type Answer as DataAnswer, ask } from './gate-traffic.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';

const KEY = `psk_${'k'.repeat(40)}`;
const LIFETIME_SECONDS = 300;

export interface Answer {
  readonly status: number;
  readonly etag: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TravelGate extends AsyncDisposable {
  readonly gate: Gate;
  readonly clock: ManualClock;
  /** A request of Sam's in the tenant; `line` is method and target. */
  visit(tenant: string, line: string): Promise<DataAnswer>;
  /** A call of the control API as the tenant's admin. */
  admin(tenant: string, method: string, target: string, body?: object): Promise<Answer>;
  /** The same as the vendor's program that manages tenants. */
  service(method: string, target: string, body?: object): Promise<Answer>;
  /** The vendor's part of the tenant's settings, by that program. */
  settle(tenant: string, values: object): Promise<Answer>;
}

/** Everybody of the vendor may enter acme and globex from the start on, without a session, while grants last. */
export async function startTravelGate(upstreamPort: number): Promise<TravelGate> {
  const clock = manualClock(Date.now());
  const gate = await startGate({
    upstreamPort,
    clock,
    config: { grants: { store: { sqlite: { path: 'postern.db' } }, limits: { max: '400d' } } },
    identity: { services: [{ name: 'tenants', keyHash: { fromFile: 'tenants.hash' }, may: ['tenants'] }] },
    prepare: (folder) =>
      writeFileSync(path.join(folder, 'tenants.hash'), createHash('sha256').update(KEY).digest('hex')),
  });

  const times = () => {
    const iat = Math.floor(clock.now() / 1000);
    return { iat, exp: iat + LIFETIME_SECONDS };
  };
  async function call(token: string, method: string, target: string, body?: object): Promise<Answer> {
    const etag = method === 'PUT' ? (await call(token, 'GET', target)).etag : '';
    const response = await fetch(`http://127.0.0.1:${gate.controlPort}${target}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(etag === '' ? {} : { 'if-match': etag }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Answer['body'];
    return { status: response.status, etag: response.headers.get('etag') ?? '', body: answer };
  }
  const service: TravelGate['service'] = (method, target, body) => call(KEY, method, target, body);

  const travel: TravelGate = {
    gate,
    clock,
    visit: async (tenant, line) =>
      ask({ ...gate, host: `${tenant}.app.test` }, line, [], await gate.staffToken(times())),
    admin: async (tenant, method, target, body) => {
      const token = await gate.adminToken({ sub: `u-${tenant}`, org_id: tenant, ...times() });
      return call(token, method, target, body);
    },
    service,
    settle: (tenant, values) => service('PUT', `/v1/tenants/${tenant}/settings`, values),
    [Symbol.asyncDispose]: () => gate[Symbol.asyncDispose](),
  };
  for (const tenant of ['acme', 'globex']) {
    const { status, body } = await travel.admin(tenant, 'POST', `/v1/tenants/${tenant}/grants`, {
      audience: { org: 'vendor' },
      access: 'write',
      duration: '399d',
      caseRef: 'CASE-1',
      reason: { type: 'customer_initiated_support', detail: 'the import fails' },
    });
    if (status !== 201) throw new Error(`no grant: ${status} ${JSON.stringify(body)}`);
  }
  return travel;
}
