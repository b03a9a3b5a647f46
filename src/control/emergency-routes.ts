// The routes of break glass: one of the vendor's security team asks, another confirms; the tenant hears of both. What is
// allowed is asked of the store. Handlers run after authentication, the schemas and the table's cell.
import type { FastifyInstance } from 'fastify';
import type { EmergencyAuthority } from '#grants/emergencies/emergency-authority.ts';
import type { EmergencyQuery, EmergencyStore } from '#grants/emergencies/emergency-store.ts';
import type { Clock } from '#model/clock.ts';
import { callerOf } from './caller.ts';
import { type EmergencyBody, emergencyDraftOf, emergencyJson } from './emergency-json.ts';
import * as schemas from './emergency-schemas.ts';
import { securityActorOf } from './lock-json.ts';
import { DEFAULT_PAGE, route } from './route.ts';

export interface EmergencyRoutesDeps {
  readonly emergencies: {
    readonly authority: EmergencyAuthority;
    readonly store: Pick<EmergencyStore, 'list'>;
  };
  readonly clock: Clock;
}

interface EmergencyListQuery {
  readonly status?: EmergencyQuery['status'];
  readonly limit?: number;
  readonly cursor?: string;
}

export function registerEmergencyRoutes(
  app: FastifyInstance,
  { emergencies, clock }: EmergencyRoutesDeps,
): void {
  const { authority, store } = emergencies;
  app.route<{ Body: EmergencyBody }>({
    method: 'POST',
    url: '/v1/break-glass',
    ...route('break_glass.ask', 'Ask for emergency access: gives nothing before another person confirms it', {
      body: schemas.emergencyBody,
      response: { 201: schemas.emergencyAnswer },
    }),
    handler: async (request, reply) => {
      const { identity } = callerOf(request);
      const draft = emergencyDraftOf(request.body, identity);
      const emergency = await authority.ask(draft, securityActorOf(identity));
      return reply.code(201).send(emergencyJson(emergency, clock.now()));
    },
  });
  app.route<{ Params: { readonly id: string } }>({
    method: 'POST',
    url: '/v1/break-glass/:id/second',
    ...route('break_glass.second', 'Confirm emergency access as the second person, who never uses it', {
      params: schemas.emergencyParams,
      response: { 200: schemas.emergencyAnswer },
    }),
    handler: async (request) => {
      const by = securityActorOf(callerOf(request).identity);
      const { emergency } = await authority.confirm(request.params.id, by);
      return emergencyJson(emergency, clock.now());
    },
  });
  app.route<{ Querystring: EmergencyListQuery }>({
    method: 'GET',
    url: '/v1/break-glass',
    ...route('break_glass.list', 'List what was asked for, newest first', {
      querystring: schemas.emergencyQuery,
      response: { 200: schemas.emergencyPageAnswer },
    }),
    handler: async ({ query: { status = 'all', limit = DEFAULT_PAGE, cursor = null } }) => {
      const { items, nextCursor } = await store.list({ status, limit, cursor });
      const now = clock.now();
      return { items: items.map((emergency) => emergencyJson(emergency, now)), nextCursor };
    },
  });
}
