// `kind: SafeRoutes`: what a read grant may use besides GET, HEAD and OPTIONS, such as a search that is a POST.
// Guarantees: a route is safe only where every method that the request claims, in its query or its body, is listed
// or safe itself. Matching is narrow-match.ts.
import type { RouteFacts } from './compiled-policy.ts';
import { NarrowMatcher, type NarrowAnswer } from './narrow-match.ts';
import { type NarrowRouteDraft, readNarrowRoutes, ROUTE_KEYS } from './narrow-routes.ts';
import type { FileReader } from './yaml-document.ts';
import type { Field } from './yaml-fields.ts';

const SHAPE = {
  what: 'the spec of SafeRoutes',
  route: { what: 'a safe route', required: ['paths'], optional: ROUTE_KEYS },
  methodsOptional: false,
};

export interface SafeRoutes {
  /** `needs_body`: a route would cover it, and its body has to be read to tell. */
  cover(facts: RouteFacts): NarrowAnswer;
}

export function readSafeRoutes(reader: FileReader, spec: Field): readonly NarrowRouteDraft[] {
  return readNarrowRoutes(reader, spec, SHAPE).map(({ draft }) => draft);
}

/** `drafts` of all documents. */
export function createSafeRoutes(drafts: readonly NarrowRouteDraft[]): SafeRoutes {
  if (drafts.length === 0) return { cover: () => 'not_covered' };
  const matcher = new NarrowMatcher(drafts, { safeMethods: true });
  return { cover: (facts) => matcher.cover(facts) };
}
