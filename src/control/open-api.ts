// The frame of the OpenAPI 3.1 document. Its calls are made from the routes' own schemas, so that it cannot say
// anything else than they check. Cold.
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';

export const openApiOptions: FastifyDynamicSwaggerOptions = {
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
};
