// `kind: RouteAllowance`: what passes where the set is an allow-list (`policies.defaultEffect: deny`). It opens
// nothing that a deny rule shuts. Matching is narrow-match.ts.
// Where methods are listed and PUT, PATCH and DELETE are not all among them, a form has to be read for the method it
// claims, and a multipart form, which nobody reads, is not covered: list all four, or leave `methods` out.
import { NEEDS_BODY } from '#model/verdict.ts';
import type { RouteFacts } from './compiled-policy.ts';
import { NarrowMatcher } from './narrow-match.ts';
import { type NarrowRouteDraft, readNarrowRoutes, ROUTE_KEYS } from './narrow-routes.ts';
import type { Position } from './problem.ts';
import { readId } from './route-policy.ts';
import type { FileReader } from './yaml-document.ts';
import type { Field } from './yaml-fields.ts';

export interface AllowanceDraft {
  readonly id: string;
  readonly route: NarrowRouteDraft;
}

/** A draft and where its id stands. */
export interface PlacedAllowance {
  readonly draft: AllowanceDraft;
  readonly at: Position;
}

export interface Allowances {
  /** The id of the first route in file and document order that covers it; null: none does. */
  coveredBy(facts: RouteFacts): string | null | typeof NEEDS_BODY;
}

const SHAPE = {
  what: 'the spec of RouteAllowance',
  route: { what: 'an allowance', required: ['id', 'paths'], optional: ROUTE_KEYS },
  methodsOptional: true,
};

export function readRouteAllowance(reader: FileReader, spec: Field): readonly PlacedAllowance[] {
  const placed: PlacedAllowance[] = [];
  for (const { draft: route, fields } of readNarrowRoutes(reader, spec, SHAPE)) {
    const field = fields.get('id');
    const id = field && readId(reader, field);
    if (!field || !id) continue;
    placed.push({ draft: { id, route }, at: reader.positionAt(field.valueOffset) });
  }
  return placed;
}

/** `placed` in file and document order. */
export function createAllowances(placed: readonly PlacedAllowance[]): Allowances {
  const ids = placed.map(({ draft }) => draft.id);
  const matcher = new NarrowMatcher(
    placed.map(({ draft }) => draft.route),
    { safeMethods: false },
  );
  return {
    coveredBy(facts) {
      const answer = matcher.cover(facts);
      if (answer === 'needs_body') return NEEDS_BODY;
      return answer === 'covered' ? (ids[matcher.coveredBy] as string) : null;
    },
  };
}
