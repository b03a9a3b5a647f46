// Values that a json or form selector lists, compared the widest way: folded, without outer space, and numbers as
// numbers, since decoders turn one into the other. Guarantees: what is not known of the principal counts as equal.
// Compiled once; asked for each value found, on routes whose rules look at bodies.
import type { RouteFacts } from './compiled-policy.ts';
import { foldText } from './fold.ts';

/** What may be written for a value that each request has its own of. */
export const VALUE_TEMPLATES = ['{principal.email}', '{principal.id}'] as const;

/** Frozen. */
export interface ListedValues {
  /** As `foldValue` makes them. */
  readonly texts: ReadonlySet<string>;
  /** As doubles: two that only exact arithmetic tells apart are one to many a decoder. */
  readonly numbers: ReadonlySet<number>;
  readonly wantsEmail: boolean;
  readonly wantsId: boolean;
}

const NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$/;

/** Null is presence, in and out. */
export function compileValues(values: readonly string[] | null): ListedValues | null {
  if (values === null) return null;
  const [email, id] = VALUE_TEMPLATES;
  const texts = values.filter((value) => value !== email && value !== id).map(foldValue);
  return Object.freeze({
    texts: new Set(texts),
    numbers: new Set(texts.filter((text) => NUMBER.test(text)).map(Number)),
    wantsEmail: values.includes(email),
    wantsId: values.includes(id),
  });
}

export function foldValue(text: string): string {
  return foldText(text).trim();
}

/** Whether a principal's value is asked for that nobody knows: then any value found is one. */
export function isUnknown(values: ListedValues, { credential }: RouteFacts): boolean {
  if (values.wantsId && credential === null) return true;
  return values.wantsEmail && (credential === null || credential.principal.email === null);
}

/** `text` is any one value found. */
export function isListed(values: ListedValues, text: string, facts: RouteFacts): boolean {
  if (isUnknown(values, facts)) return true;
  const value = foldValue(text);
  if (values.texts.has(value)) return true;
  if (values.numbers.size > 0 && NUMBER.test(value) && values.numbers.has(Number(value))) return true;
  const principal = facts.credential?.principal;
  if (principal === undefined) return false;
  if (values.wantsEmail && principal.email !== null && foldValue(principal.email) === value) return true;
  return values.wantsId && foldValue(principal.id) === value;
}
