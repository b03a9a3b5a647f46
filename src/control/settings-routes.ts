// The routes of a tenant's settings and of its switch. A service settles the vendor's part, an admin of the tenant the
// tenant's own; a change names the revision it was made against. Handlers run after authentication, the schemas and the
// table's cell for the caller, and answer when what they did is true for traffic. Cold.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { SettingsAuthority } from '#grants/settings/settings-authority.ts';
import type { Clock } from '#model/clock.ts';
import type { TenantId } from '#model/ids.ts';
import { requireTenant } from './authorise.ts';
import { type Caller, callerOf } from './caller.ts';
import { underIfMatch, withEtag } from './etag.ts';
import { actorOf, grantJson, type PersonBody } from './grant-json.ts';
import { route } from './route.ts';
import { tenantParams } from './schemas.ts';
import {
  changedJson,
  settingsJson,
  settingsPatchOf,
  type SettingsPartName,
  type SwitchBody,
  switchWishOf,
} from './settings-json.ts';
import * as schemas from './settings-schemas.ts';
import { tenantStatus } from './tenant-status.ts';

export interface SettingsRoutesDeps {
  readonly settings: Pick<SettingsAuthority, 'read' | 'change' | 'switchAccess'>;
  readonly clock: Pick<Clock, 'now'>;
}

interface TenantParams {
  readonly tenant: TenantId;
}

type SettingsBody = Readonly<Record<string, unknown>> & PersonBody;

const params = tenantParams;

export function registerSettingsRoutes(app: FastifyInstance, deps: SettingsRoutesDeps): void {
  registerSettings(app, deps);
  registerSwitch(app, deps);
}

function registerSettings(app: FastifyInstance, { settings }: SettingsRoutesDeps): void {
  const url = '/v1/tenants/:tenant/settings';
  const response = { 200: schemas.settingsAnswer };
  app.route<{ Params: TenantParams }>({
    method: 'GET',
    url,
    ...route(
      'settings.read',
      'What is settled for a tenant, and what holds',
      { params, response },
      { etag: 'answered' },
    ),
    handler: async (request, reply) => {
      const stored = await settings.read(request.params.tenant);
      return withEtag(reply, stored.revision, settingsJson(stored, partOf(reachTenant(request))));
    },
  });
  app.route<{ Params: TenantParams; Body: SettingsBody }>({
    method: 'PUT',
    url,
    // Two who settle at once would undo each other's words without having read them.
    ...route(
      'settings.change',
      'Settle the caller’s part: keys that are left out stay as they are',
      {
        params,
        body: schemas.settingsBody,
        response,
      },
      { etag: 'required' },
    ),
    handler: async (request, reply) => {
      const caller = reachTenant(request);
      const { tenant } = request.params;
      const part = partOf(caller);
      const by = actorOf(caller.identity, request.body);
      const patch = settingsPatchOf(request.body, part);
      const { revision } = await settings.read(tenant);
      const outcome = await underIfMatch(request, revision, (expectedRevision = revision) =>
        settings.change({ tenant, patch, expectedRevision }, by),
      );
      return withEtag(reply, outcome.settings.revision, changedJson(outcome, part));
    },
  });
}

function registerSwitch(app: FastifyInstance, { settings, clock }: SettingsRoutesDeps): void {
  app.route<{ Params: TenantParams; Body: SwitchBody }>({
    method: 'PUT',
    url: '/v1/tenants/:tenant/access',
    ...route('access.switch', 'Support access on for a period, or off: returns when it is true for traffic', {
      params,
      body: schemas.switchBody,
      response: { 200: schemas.switchAnswer },
    }),
    handler: async (request) => {
      const { identity } = reachTenant(request);
      const by = actorOf(identity, request.body);
      const { view, grant } = await settings.switchAccess(
        request.params.tenant,
        switchWishOf(request.body),
        by,
      );
      const now = clock.now();
      return {
        status: tenantStatus(view, now, null),
        grant: grant === null ? null : grantJson(grant, now),
      };
    },
  });
}

function reachTenant(request: FastifyRequest): Caller {
  const caller = callerOf(request);
  requireTenant(caller.identity, caller.scope, (request.params as TenantParams).tenant);
  return caller;
}

function partOf({ identity }: Caller): SettingsPartName {
  return identity.kind === 'service' ? 'vendor' : 'own';
}
