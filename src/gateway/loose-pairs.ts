// The values of one name in a query or a form, by the widest reading, any spelling an application may honour. For the
// two names the gate itself looks for; what rules look for is the policy's. Hot: most queries need one search only.

/** Decoded; usually none. `name` is in lower case. Never throws: what does not decode is taken as it stands. */
export function looseValues(pairs: string, name: string): readonly string[] {
  // An escape could spell the name; without one and without the name there is nothing to split.
  if (pairs === '' || !(pairs.includes('%') || pairs.toLowerCase().includes(tailOf(name)))) return [];
  const values: string[] = [];
  for (const part of pairs.split('&').flatMap((piece) => piece.split(';'))) {
    const equals = part.indexOf('=');
    if (fold(decodeLoosely(equals < 0 ? part : part.slice(0, equals))) !== name) continue;
    values.push(equals < 0 ? '' : decodeLoosely(part.slice(equals + 1)));
  }
  return values;
}

function fold(name: string): string {
  const folded = name.normalize('NFKC').toLowerCase().trim();
  const bracket = folded.indexOf('[');
  const stem = bracket >= 0 && folded.includes(']', bracket) ? folded.slice(0, bracket) : folded;
  // PHP makes `_` of a dot, a space and an unclosed bracket.
  return stem.replaceAll('.', '_').replaceAll(' ', '_').replaceAll('[', '_');
}

/** What stands behind the underscore: that itself has several spellings. */
function tailOf(name: string): string {
  return name.slice(name.indexOf('_') + 1);
}

function decodeLoosely(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
