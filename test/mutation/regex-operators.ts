// Changes of a regular expression literal, as text: never matching, fewer flags, no anchors, turned classes,
// lookaheads and quantifiers. Coarse on purpose: regular expressions are rare here and never see request data whole.

/** Each a complete literal, without duplicates and without the original. */
export function changedRegex(pattern: string, flags: string): readonly string[] {
  const patterns = [
    '(?!)',
    pattern.replace(/^\^/, ''),
    pattern.replace(/\$$/, ''),
    pattern.replace(/([^\\]|^)\[\^/, '$1['),
    pattern.replace(/([^\\]|^)\[(?!\^)/, '$1[^'),
    pattern.replace('(?!', '(?='),
    pattern.replace('\\p{', '\\P{'),
    pattern.replace(/([\])}])[+*]/, '$1'),
    pattern.replace(/\{(\d+)\}/, (_, count: string) => `{${Number(count) + 1}}`),
  ];
  const changed = new Set(patterns.map((text) => `/${text}/${flags}`));
  for (const flag of flags) changed.add(`/${pattern}/${flags.replace(flag, '')}`);
  changed.delete(`/${pattern}/${flags}`);
  return [...changed].filter(isValid);
}

function isValid(literal: string): boolean {
  const end = literal.lastIndexOf('/');
  try {
    return new RegExp(literal.slice(1, end), literal.slice(end + 1)).source !== '';
  } catch {
    return false;
  }
}
