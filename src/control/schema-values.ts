// The values that calls of several topics have in common, as the JSON Schemas of the control API say them: instants, people,
// the tenant, a stated reason. Made of schema-parts.ts, and as closed. Cold.
import { REASON_TYPES } from '#model/grant.ts';
import { closed, orNull, words } from './schema-parts.ts';

export const TEXT = { type: 'string' };
export const TEXT_OR_NULL = { type: ['string', 'null'] };
export const INSTANT = { type: 'string', format: 'date-time' };
export const INSTANT_OR_NULL = { type: ['string', 'null'], format: 'date-time' };

/** As the data listener resolves tenants: one label. */
export const tenantId = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,63}$' };
export const access = { type: 'string', enum: ['read', 'write'] };

/** Whoever can be named in an answer. */
export const person = { id: TEXT, email: TEXT_OR_NULL, name: TEXT_OR_NULL };
/** Whoever did something, as answers show them. */
export const actor = closed({
  ...person,
  kind: { type: 'string', enum: ['tenant_admin', 'tenant_user', 'service', 'system', 'staff', 'security'] },
  onBehalfOf: orNull(closed(person)),
});

/** `detail` is described where somebody else than its reader has to be named. */
export function statedReason(description?: string): object {
  const type = { type: 'string', enum: [...REASON_TYPES] };
  return closed({ type, detail: words(1000, description) }, ['type', 'detail']);
}
