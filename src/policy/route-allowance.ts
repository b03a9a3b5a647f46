// `kind: RouteAllowance`: what passes where the set is an allow-list (`policies.defaultEffect: deny`). It opens
// nothing that a deny rule shuts. Matching is narrow-match.ts.
// Where methods are listed and PUT, PATCH and DELETE are not all among them, a form has to be read for the method it
// claims, and a multipart form, which nobody reads, is not covered: list all four, or leave `methods` out.
import { NEEDS_BODY } from '#model/verdict.ts';
import type { RouteFacts } from './compiled-policy.ts';
import { NarrowMatcher } from './narrow-match.ts';
import { type NarrowRouteDraft, readNarrowRoutes, ROUTE_KEYS } from './narrow-routes.ts';
import type { Position } from './problem.ts';
import { RULE_ID } from './route-policy.ts';
import { type FileReader, report } from './yaml-document.ts';
import { type Field, readText } from './yaml-fields.ts';

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

/** Ids that are not an author's to give: decisions of the policy itself carry them. */
const RESERVED_IDS = /^policy[.]/;

export function readRouteAllowance(reader: FileReader, spec: Field): readonly PlacedAllowance[] {
  const placed: PlacedAllowance[] = [];
  for (const { draft: route, fields } of readNarrowRoutes(reader, spec, SHAPE)) {
    const field = fields.get('id');
    const id = field && readText(reader, field, RULE_ID);
    if (!field || !id) continue;
    if (RESERVED_IDS.test(id)) {
      report(reader, field.valueOffset, 'an id must not begin with `policy.`: the policy names its own so');
    }
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
