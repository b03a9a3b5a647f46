// One match block for a digest: deny rules and response guards have the same blocks, less the body. Arrays only, sets
// sorted, every field named by its place. Cold.
import { bodySelectorDigest } from './body-fields.ts';
import { compare } from './problem.ts';
import type { MatchDraft } from './rule-set.ts';

export function matchParts(
  match: Omit<MatchDraft, 'body'> & { readonly body?: MatchDraft['body'] },
): unknown {
  return [
    match.methods === null ? null : match.methods.toSorted(compare),
    match.paths.map((path) => path.text).toSorted(compare),
    match.query
      .map(({ key, values }) => [key, values === null ? null : values.toSorted(compare)] as const)
      .toSorted(([a], [b]) => compare(a, b)),
    match.body ? bodySelectorDigest(match.body) : null,
  ];
}
