// The methods a request claims besides its own: `_method` in a query or a form, as several frameworks honour it.
// Widest reading: any spelling of the name, any value. Off the hot path: only queries and forms get here.

/** Upper case; one for each `_method` pair, values as they are after decoding. Never throws. */
export function claimedMethods(pairs: string): readonly string[] {
  if (!mayNameMethod(pairs)) return [];
  const methods: string[] = [];
  for (const part of pairs.split('&').flatMap((piece) => piece.split(';'))) {
    const equals = part.indexOf('=');
    const name = decodeLoosely(equals < 0 ? part : part.slice(0, equals));
    if (foldName(name) !== '_method') continue;
    methods.push(
      decodeLoosely(equals < 0 ? '' : part.slice(equals + 1))
        .trim()
        .toUpperCase(),
    );
  }
  return methods;
}

/** `%5F` and `%6D` and their like still leave the percent sign to look for. */
function mayNameMethod(pairs: string): boolean {
  return pairs.includes('%') || pairs.toLowerCase().includes('method');
}

function foldName(name: string): string {
  const folded = name.normalize('NFKC').toLowerCase().trimStart();
  const bracket = folded.indexOf('[');
  return bracket < 0 ? folded : folded.slice(0, bracket);
}

/** What does not decode is taken as it stands: it cannot be a method anybody honours. */
function decodeLoosely(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
