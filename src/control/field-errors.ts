// Schema errors as people can act on them: where in the request, and what is allowed there. Capped, because a hostile
// body can be wrong in thousands of places. Repeats no value of the request. Cold.
import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import type { FieldError } from './control-problem.ts';

const MAX_ERRORS = 20;

/** `part` is `body`, `params`, `querystring` or `headers`; only in a body does the pointer say all by itself. */
export function fieldErrors(
  errors: readonly FastifySchemaValidationError[],
  part: string,
): readonly FieldError[] {
  const seen = new Set<string>();
  const found: FieldError[] = [];
  for (const error of errors) {
    // The branches of an `anyOf` say it better than the keyword itself.
    if (error.keyword === 'anyOf' && errors.length > 1) continue;
    const pointer = pointerOf(error);
    const message = messageOf(error, part);
    const key = JSON.stringify([pointer, message]);
    if (seen.has(key)) continue;
    seen.add(key);
    found.push({ pointer, message });
    if (found.length === MAX_ERRORS) break;
  }
  return found;
}

function pointerOf({ instancePath, params }: FastifySchemaValidationError): string {
  const name = params['additionalProperty'] ?? params['missingProperty'];
  if (typeof name !== 'string') return instancePath;
  return `${instancePath}/${name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function messageOf({ keyword, params, message }: FastifySchemaValidationError, part: string): string {
  const where = part === 'body' ? '' : ` (in the ${part === 'querystring' ? 'query' : 'path'})`;
  switch (keyword) {
    case 'additionalProperties':
      return `is not a known key${where}`;
    case 'required':
      return `is required${where}`;
    case 'enum':
      return `must be one of ${JSON.stringify(params['allowedValues'])}${where}`;
    case 'pattern':
      return `must match ${String(params['pattern'])}${where}`;
    default:
      return `${message ?? 'is not allowed here'}${where}`;
  }
}
