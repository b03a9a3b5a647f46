// The OpenAPI 3.1 document. Its calls are made from the routes' own schemas and traits, so that it cannot say anything else
// than they check; the headers and refusals that calls share are written here, once. Cold.
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyContextConfig, FastifySchema } from 'fastify';
import { TEXT } from './schema-values.ts';

/** What the server has besides its routes. */
export interface SharedFeatures {
  readonly hasKeys: boolean;
  readonly hasRateLimit: boolean;
}

export function openApiOptions(features: SharedFeatures): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Postern control API',
        version: '1',
        description:
          'Support access to a customer’s account: grants given, changed and revoked by the customer, who also reads who came and what they did. Every refusal is application/problem+json (RFC 9457).',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `def-${index}`,
    },
    transform({ schema, url, route }) {
      const method = String(route.method);
      const call = { ...route.config, isKeyed: features.hasKeys && method === 'POST' };
      return { url, schema: documented(schema ?? {}, call, features) };
    },
    transformObject: (document) =>
      'openapiObject' in document ? withOptionalBodies(document.openapiObject) : document.swaggerObject,
  };
}

interface DocumentedCall extends FastifyContextConfig {
  readonly isKeyed: boolean;
}

type Headers = Readonly<Record<string, object>>;

const IF_MATCH = {
  ...TEXT,
  description: 'The ETag that it was read with: the change is made against that revision or not at all.',
};
const IDEMPOTENCY_KEY = {
  ...TEXT,
  description:
    '1 to 255 visible ASCII characters: a repetition within 24 hours is answered as the first time and done once.',
};
const ETAG = { ETag: { ...TEXT, description: 'The revision, in quotes.' } };
const LOCATION = { Location: { ...TEXT, description: 'Where what was made is.' } };
const REPLAYED = {
  'Idempotency-Replayed': { ...TEXT, description: '`true` on what was answered before; otherwise absent.' },
};
const RETRY_AFTER = { 'Retry-After': { ...TEXT, description: 'In how many seconds to ask again.' } };
const CHALLENGE = { 'WWW-Authenticate': { ...TEXT, description: '`Bearer`.' } };

function documented(
  schema: FastifySchema,
  call: DocumentedCall,
  { hasRateLimit }: SharedFeatures,
): FastifySchema {
  const takesRevision = call.etag === 'optional' || call.etag === 'required';
  const headers = {
    ...(takesRevision ? { 'If-Match': IF_MATCH } : {}),
    ...(call.isKeyed ? { 'Idempotency-Key': IDEMPOTENCY_KEY } : {}),
  };
  const response = {
    ...successes(schema, call),
    401: problem('No valid credential.', CHALLENGE),
    ...(call.isKeyed
      ? {
          409: problem(
            'It contradicts what is; or the first call with this key is under way (`call_under_way`), or its answer is not kept (`answer_not_kept`).',
            RETRY_AFTER,
          ),
          422: problem('A rule forbids it; or the key was used for another call (`key_reused`).'),
        }
      : {}),
    ...(takesRevision
      ? { 412: problem('If-Match names another revision (`precondition_failed`); nothing was changed.') }
      : {}),
    ...(call.etag === 'required' ? { 428: problem('If-Match is required (`if_match_required`).') } : {}),
    ...(hasRateLimit ? { 429: problem('Too many calls (`rate_limited`).', RETRY_AFTER) } : {}),
    503: problem('What the call needs is away; nothing is known to have changed.', RETRY_AFTER),
    '4xx': problem('Refused; `type` says why.'),
    '5xx': problem('A fault.'),
  };
  const required = call.etag === 'required' ? ['If-Match'] : [];
  const parameters =
    Object.keys(headers).length === 0 ? {} : { headers: { type: 'object', properties: headers, required } };
  return { ...schema, ...parameters, response };
}

function successes({ response, summary }: FastifySchema, call: DocumentedCall): Record<string, object> {
  const answered: Record<string, object> = {};
  for (const [status, answer] of Object.entries((response ?? {}) as Record<string, object>)) {
    const headers = {
      ...(call.etag === undefined ? {} : ETAG),
      ...(call.location === true && status === '201' ? LOCATION : {}),
      ...(call.isKeyed && call.answerNotKept !== true ? REPLAYED : {}),
    };
    answered[status] = answerOf(summary ?? '', 'application/json', answer, headers);
  }
  return answered;
}

function problem(description: string, headers: Headers = {}): object {
  return answerOf(description, 'application/problem+json', { $ref: 'Problem#' }, headers);
}

function answerOf(description: string, mediaType: string, schema: object, headers: Headers): object {
  const shown = Object.keys(headers).length === 0 ? {} : { headers };
  return { description, ...shown, content: { [mediaType]: { schema } } };
}

interface Body {
  required?: boolean;
  readonly content: Readonly<Record<string, { readonly schema?: { readonly anyOf?: readonly object[] } }>>;
}

/** The generator says of every body that it is required; one that may be null may be left out. */
function withOptionalBodies<T extends object>(document: T): T {
  const { paths = {} } = document as {
    readonly paths?: Record<string, Record<string, { requestBody?: Body }>>;
  };
  for (const { requestBody } of Object.values(paths).flatMap((item) => Object.values(item))) {
    const branches = requestBody?.content['application/json']?.schema?.anyOf ?? [];
    if (requestBody !== undefined && branches.some((branch) => 'type' in branch && branch.type === 'null'))
      requestBody.required = false;
  }
  return document;
}
