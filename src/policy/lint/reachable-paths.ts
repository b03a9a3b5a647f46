// Paths of rules that no request can have: asked of the gate's own reading of a target, with an example made from the
// pattern. What the parser of patterns refuses already never gets here. Cold.
import type { CompiledPolicy } from '../compiled-policy.ts';
import type { ParseTarget } from '../judge.ts';
import { KNOWN_METHODS } from '../methods.ts';
import { encodeLiterals } from '../openapi-requests.ts';
import { quoted } from '../yaml-fields.ts';
import { suggestion } from '../problem.ts';
import type { PlacedRule } from '../route-policy.ts';
import { type Finding, findingAt } from './finding.ts';

export interface ReachDeps {
  readonly policy: CompiledPolicy;
  readonly parseTarget: ParseTarget;
}

export function findUnreachablePaths(deps: ReachDeps, rules: readonly PlacedRule[]): readonly Finding[] {
  return rules.flatMap(({ draft, at }) =>
    draft.match.flatMap(({ paths }) =>
      paths.flatMap(({ text }): Finding[] => {
        const why = whyUnreachable(deps, text);
        if (why === null) return [];
        const message = `path ${quoted(text)} of the rule ${draft.id} matches no request: ${why}`;
        return [findingAt(at, { check: 'unreachable-path', severity: 'warning', message })];
      }),
    ),
  );
}

function whyUnreachable({ policy, parseTarget }: ReachDeps, pattern: string): string | null {
  const segments = pattern
    .split('/')
    .filter((segment) => segment !== '**')
    .map((segment) => encodeLiterals(segment.replace(/^\{.*\}$/, 'qzx7').replaceAll('*', 'qzx7')));
  const raw = segments.join('/');
  const target = parseTarget(raw.startsWith('/') ? raw : `/${raw}`);
  if ('reason' in target) return target.note ?? `the gate refuses it (${target.reason})`;
  const settings = policy.settingsFor(target.path);
  if (target.encodedSlash && !settings.allowEncodedSlash) {
    return 'it holds an encoded slash, and no RouteSettings opens the route to one';
  }
  if (target.encodedPercent && !settings.allowEncodedPercent) {
    return 'it holds an encoded percent sign, and no RouteSettings opens the route to one';
  }
  return null;
}

/** A method that is none is refused before any rule is asked, unless the configuration names it; a near miss is a slip. */
export function findUnknownMethods(rules: readonly PlacedRule[]): readonly Finding[] {
  return rules.flatMap(({ draft, at }) => {
    const methods = new Set(draft.match.flatMap((match) => match.methods ?? []));
    return [...methods].flatMap((method): Finding[] => {
      const hint = KNOWN_METHODS.includes(method) ? '' : suggestion(method, KNOWN_METHODS);
      if (hint === '') return [];
      const message = `the rule ${draft.id} names the method ${method}${hint}`;
      return [findingAt(at, { check: 'unknown-method', severity: 'warning', message })];
    });
  });
}
