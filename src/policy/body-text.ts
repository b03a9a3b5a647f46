// What the body selectors have in common: their text for explanations, and their answer to a body that is not of
// their kind. Guarantees: what cannot be looked into is never absent. Cold but for the answer.
import type { BodyAnswer, BodyFieldDraft } from './body-selector.ts';
import type { RequestBody } from './request-body.ts';

/** `json /format is one of csv, xlsx and /to is there`. */
export function fieldsText(kind: string, fields: readonly BodyFieldDraft[]): string {
  const parts = fields.map(({ name, values }) =>
    values === null ? `${name} is there` : `${name} is ${oneOf(values)}`,
  );
  return `${kind} ${parts.join(' and ')}`;
}

export function oneOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] as string) : `one of ${values.join(', ')}`;
}

/** Of a body that the selector does not read. */
export function answerOfOther({ kind }: RequestBody): BodyAnswer {
  if (kind === 'none') return 'absent';
  return kind === 'too_large' ? kind : 'unreadable';
}

/** Why that answer; `wanted` is the kind that the selector reads. */
export function flawOfOther({ kind, flaw }: RequestBody, wanted: string): string | null {
  if (kind === 'none') return null;
  return flaw ?? `the body is of the kind ${kind}, and the rule looks into ${wanted}`;
}
