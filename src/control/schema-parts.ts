// What the JSON Schemas of the control API are made of. Closed: no additional properties, no coercion, every string bounded
// and free of control characters; a key that may be null says so. Cold.
import { DEFAULT_PAGE } from './route.ts';

/** C0 controls, DEL and NUL with them: they end strings in one reader and not in the next. */
const PLAIN = '^[^\\u0000-\\u001F\\u007F]+$';
/** Line breaks and tabs are part of what people write; no other control character is. */
const WRITTEN = '^[^\\u0000-\\u0008\\u000B-\\u001F\\u007F]+$';
export const MAX_LIST = 100;

export function text(maxLength: number, description: string): object {
  return { type: 'string', minLength: 1, maxLength, pattern: PLAIN, description };
}

/** Several lines of it, where people like. */
export function words(maxLength: number, description?: string): object {
  const described = description === undefined ? {} : { description };
  return { type: 'string', minLength: 1, maxLength, pattern: WRITTEN, ...described };
}

export function orNull(schema: object): object {
  return { anyOf: [schema, { type: 'null' }] };
}

export function list(items: object, description: string, maxItems = MAX_LIST): object {
  return { type: 'array', items, maxItems, uniqueItems: true, description };
}

export function closed(properties: Record<string, object>, required: readonly string[] = []): object {
  return { type: 'object', additionalProperties: false, properties, required };
}

/** `grt_…`: a prefix and a ULID. */
export function idOf(prefix: string): { readonly type: 'string'; readonly pattern: string } {
  return { type: 'string', pattern: `^${prefix}_[0-7][0-9A-HJKMNP-TV-Z]{25}$` };
}

/** Of every list, besides its filters. */
export const pageKeys = {
  limit: { type: 'integer', minimum: 1, maximum: 200, default: DEFAULT_PAGE },
  cursor: { type: 'string', minLength: 1, maxLength: 128, description: '`nextCursor` of the page before.' },
};

export function pageOf(items: object): object {
  const nextCursor = { type: ['string', 'null'] };
  return closed({ items: { type: 'array', items }, nextCursor }, ['items', 'nextCursor']);
}
