// `*` within one segment: a prefix, pieces in order, a suffix. Leftmost pieces first, so no backtracking.
// Hot where a rule uses it; both sides are already folded (wide) or canonical (narrow).

export interface Glob {
  readonly prefix: string;
  readonly middle: readonly string[];
  readonly suffix: string;
}

/** `pieces` are what stands between the stars: two or more, possibly empty strings. */
export function compileGlob(pieces: readonly string[]): Glob {
  return Object.freeze({
    prefix: pieces[0] as string,
    middle: Object.freeze(pieces.slice(1, -1).filter((piece) => piece !== '')),
    suffix: pieces.at(-1) as string,
  });
}

export function globMatches(glob: Glob, segment: string): boolean {
  const end = segment.length - glob.suffix.length;
  let at = glob.prefix.length;
  if (at > end || !segment.startsWith(glob.prefix) || !segment.endsWith(glob.suffix)) return false;
  for (let i = 0; i < glob.middle.length; i++) {
    const piece = glob.middle[i] as string;
    const found = segment.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

export function sameGlob(a: Glob, b: Glob): boolean {
  return (
    a.prefix === b.prefix &&
    a.suffix === b.suffix &&
    a.middle.length === b.middle.length &&
    a.middle.every((piece, i) => piece === b.middle[i])
  );
}
