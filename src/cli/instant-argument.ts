// An instant as an argument of a command: RFC 3339 with its zone, so that nobody has to guess which midnight is meant.
// Anything else is bad usage, with an example. Not hot.
import { InvalidArgumentError } from 'commander';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** Epoch milliseconds. Throws commander's InvalidArgumentError. */
export function instant(text: string): number {
  const ms = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError('must be an instant such as 2026-01-15T09:00:00Z.');
  return ms;
}
