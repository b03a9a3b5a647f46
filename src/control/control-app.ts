// The control API as a fastify application: schemas without coercion, one shape of problem for every refusal, no
// CORS, nothing cached, nothing said about what runs here. Cold: a handful of calls per second.
import type { Server } from 'node:http';
import swagger from '@fastify/swagger';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { ControlAuthenticator } from '#authn/control-authenticator.ts';
import type { IdempotencyStore } from '#grants/idempotency-store.ts';
import type { EpochMs } from '#model/clock.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { Log } from '#model/log.ts';
import { type AuditRoutesDeps, registerAuditRoutes } from './audit-routes.ts';
import { guardRoutes } from './caller.ts';
import { ControlDenial, ControlProblem, type ControlProblemBody, problemFor } from './control-problem.ts';
import { type EmergencyRoutesDeps, registerEmergencyRoutes } from './emergency-routes.ts';
import { type GrantRoutesDeps, registerGrantRoutes } from './grant-routes.ts';
import { fieldErrors } from './field-errors.ts';
import { keyCalls } from './idempotency.ts';
import { type LockRoutesDeps, registerLockRoutes } from './lock-routes.ts';
import { openApiOptions } from './open-api.ts';
import { type PolicyRoutesDeps, registerPolicyRoutes } from './policy-routes.ts';
import type { RateLimit } from './rate-limit.ts';
import { registerRequestRoutes, type RequestRoutesDeps } from './request-routes.ts';
import { grantSchema, problemSchema } from './schemas.ts';
import { registerSessionRoutes, type SessionRoutesDeps } from './session-routes.ts';
import { registerSettingsRoutes, type SettingsRoutesDeps } from './settings-routes.ts';
import { registerSubjectRoutes } from './subject-routes.ts';

export interface ControlAppDeps extends GrantRoutesDeps, PolicyRoutesDeps, AuditRoutesDeps {
  readonly authenticator: ControlAuthenticator;
  readonly nextRequestId: (now: EpochMs) => string;
  readonly log: Log;
  /** Absent: keys of repeated calls are not looked at. */
  readonly idempotency?: IdempotencyStore;
  readonly rateLimit?: RateLimit;
  readonly requests?: RequestRoutesDeps['requests'];
  readonly settings?: SettingsRoutesDeps['settings'];
  readonly sessions?: SessionRoutesDeps['sessions'];
  readonly locks?: LockRoutesDeps['locks'];
  readonly emergencies?: EmergencyRoutesDeps['emergencies'];
  /** Makes the HTTP or HTTPS server around the application's handler. */
  readonly createServer: (handler: Parameters<Server['on']>[1]) => Server;
}

const MAX_BODY_BYTES = 65_536;
const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

export async function createControlApp(deps: ControlAppDeps): Promise<FastifyInstance> {
  const { log } = deps;
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    genReqId: () => deps.nextRequestId(deps.clock.now()),
    requestIdHeader: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false, caseSensitive: true },
    serverFactory: (handler) => deps.createServer(handler),
    ajv: {
      customOptions: {
        strict: true,
        allowUnionTypes: true,
        allErrors: true,
        coerceTypes: false,
        useDefaults: false,
        removeAdditional: false,
      },
    },
    frameworkErrors: (error, request, reply) => answer(log, error, request, reply),
  });
  // Answers are built here from known parts; compiled serialisers would drop what a schema forgot to name.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler((error, request, reply) => answer(log, error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    answer(log, new ControlDenial('not_found', 'See /openapi.json for the calls there are.'), request, reply);
  });
  app.addHook('onSend', async (_request, reply) => harden(reply));
  acceptEmptyJson(app);
  app.addSchema(grantSchema);
  app.addSchema(problemSchema);
  const features = { hasKeys: deps.idempotency !== undefined, hasRateLimit: deps.rateLimit !== undefined };
  await app.register(swagger, openApiOptions(features));
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  guardRoutes(app, deps);
  if (deps.idempotency !== undefined) keyCalls(app, { idempotency: deps.idempotency, log });
  readNumbers(app);
  registerGrantRoutes(app, deps);
  registerPolicyRoutes(app, deps);
  registerAuditRoutes(app, deps);
  registerSubjectRoutes(app, deps);
  if (deps.requests !== undefined) registerRequestRoutes(app, { requests: deps.requests });
  if (deps.settings !== undefined)
    registerSettingsRoutes(app, { settings: deps.settings, clock: deps.clock });
  if (deps.sessions !== undefined) registerSessionRoutes(app, { ...deps, sessions: deps.sessions });
  registerSecurityRoutes(app, deps);
  await app.ready();
  return app;
}

function registerSecurityRoutes(app: FastifyInstance, { locks, emergencies, clock }: ControlAppDeps): void {
  if (locks !== undefined) registerLockRoutes(app, { locks, clock });
  if (emergencies !== undefined) registerEmergencyRoutes(app, { emergencies, clock });
}

/**
 * JSON alone, and none with keys that would reach an object's prototype. A revoke needs no body, and many clients
 * send the JSON media type whether there is one or not.
 */
function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, null);
    else parse(request, body.toString(), done);
  });
}

/** Bodies are never coerced; a query has only text, so its one number is read before the schema sees it. */
function readNumbers(app: FastifyInstance): void {
  app.addHook('preValidation', async (request) => {
    const query = request.query as { limit?: unknown };
    if (typeof query.limit === 'string' && /^[0-9]{1,6}$/.test(query.limit))
      query.limit = Number(query.limit);
  });
}

function answer(log: Log, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemFor(ours(error), request.id);
  if (problem.status >= 500) {
    const code = error instanceof Error ? ((error as { code?: unknown }).code ?? error.name) : 'unknown';
    log.error(
      { requestId: request.id, route: request.routeOptions.url, code, err: error },
      'a control call failed',
    );
  }
  send(reply, problem);
}

function harden(reply: FastifyReply): void {
  reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
}

function send(reply: FastifyReply, problem: ControlProblemBody): void {
  // Said here too: no hook runs for a target that the router could not read.
  harden(reply);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (problem.status === 503) reply.header('retry-after', '1');
  void reply.code(problem.status).type(PROBLEM_JSON).send(JSON.stringify(problem));
}

/** Fastify's own errors, by code; what is not among them is passed on as it is. */
function ours(error: unknown): unknown {
  if (error instanceof GrantRefusal || error instanceof ControlProblem || !(error instanceof Error))
    return error;
  const { validation, validationContext, code, statusCode } = error as FastifyError;
  if (validation !== undefined) {
    const detail = 'See `errors` for each place and what is allowed there.';
    return new ControlProblem(
      'invalid_request',
      detail,
      fieldErrors(validation, validationContext ?? 'body'),
    );
  }
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ControlDenial('body_too_large', 'A body holds at most 64 KiB.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new ControlProblem('media_type_unsupported', 'Send the body as application/json.');
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return malformed();
    case 'FST_ERR_BAD_URL':
      return new ControlDenial('bad_request_target', 'The path must be percent-encoded UTF-8.');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new ControlDenial('target_too_long', 'A part of the path holds at most 256 characters.');
  }
  // The JSON parser's own: a syntax error, or a key that would reach an object's prototype.
  return error instanceof SyntaxError && statusCode === 400 ? malformed() : error;
}

function malformed(): ControlProblem {
  return new ControlProblem(
    'malformed_json',
    'Send one JSON object without `__proto__` or `constructor` keys.',
  );
}
