// Keys and values that the design knows and this version does not: refused like unknown ones, with a better sentence.
// A key that is accepted and does nothing would be a lie; remove its line here when it becomes real.

const LATER_KEYS: readonly (readonly [RegExp, string])[] = [
  [/^\/listen\/ops\/tls$/, 'TLS on the ops listener is'],
  [/^\/grants\/store\/postgres$/, 'the PostgreSQL store is'],
  [/^\/traffic\/cors$/, 'answering CORS preflights is'],
  [/^\/identity\/queryCredentialNames$/, 'credentials in the query are'],
];

const LATER_VALUES: readonly (readonly [RegExp, unknown, string])[] = [
  [/^\/workers$/, 'auto', 'more than one worker is'],
  [/^\/traffic\/unidentified$/, 'pass', "passing customers' own traffic through is"],
];

const INDEX_SINK = /^\/audit\/sinks\/\d+\/index$/;

/** The sentence for a key of a later version, or of no version though one would look for it; null for a key that is unknown altogether. */
export function laterKey(pointer: string): string | null {
  if (INDEX_SINK.test(pointer)) return 'the index always runs: the list names where records go besides';
  const found = LATER_KEYS.find(([pattern]) => pattern.test(pointer));
  return found === undefined ? null : sentence(found[1]);
}

/** The sentence for a value of a later version; null for one that is wrong altogether. */
export function laterValue(pointer: string, value: unknown): string | null {
  if (pointer === '/workers' && typeof value === 'number' && value > 1)
    return sentence('more than one worker is');
  const found = LATER_VALUES.find(([pattern, later]) => later === value && pattern.test(pointer));
  return found === undefined ? null : sentence(found[2]);
}

function sentence(subject: string): string {
  return `${subject} not supported by this version`;
}
