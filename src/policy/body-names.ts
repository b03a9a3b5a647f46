// Names that a graphql or jsonrpc selector lists: folded, `*` for any run of characters. Compiled once.
// Asked for each root field or method of a request, on routes whose rules look at bodies.
import { foldText } from './fold.ts';
import { compileGlob, type Glob, globMatches } from './glob.ts';

/** Frozen. */
export interface ListedNames {
  readonly exact: ReadonlySet<string>;
  readonly globs: readonly Glob[];
}

export function compileNames(names: readonly string[]): ListedNames {
  const folded = names.map(foldText);
  return Object.freeze({
    exact: new Set(folded.filter((name) => !name.includes('*'))),
    globs: Object.freeze(
      folded.filter((name) => name.includes('*')).map((name) => compileGlob(name.split('*'))),
    ),
  });
}

/** `name` as the request has it. */
export function namesHold(names: ListedNames, name: string): boolean {
  const folded = foldText(name).trim();
  if (names.exact.has(folded)) return true;
  for (let i = 0; i < names.globs.length; i++) {
    if (globMatches(names.globs[i] as Glob, folded)) return true;
  }
  return false;
}
