// `json`: pointers into a JSON body. Guarantees: the widest reading of json-pointer.ts and body-values.ts; every named
// pointer must hold, each by any of the values found there. A body of another kind is unreadable. Not hot.
import type { BodyAnswer, BodyFieldDraft, BodySelector } from './body-selector.ts';
import { compileValues, isListed, isUnknown, type ListedValues } from './body-values.ts';
import type { RouteFacts } from './compiled-policy.ts';
import { compilePointer, type JsonPointer, valuesAt } from './json-pointer.ts';
import type { RequestBody } from './request-body.ts';
import { fieldsText, answerOfOther, flawOfOther } from './body-text.ts';

interface PointerTest {
  readonly pointer: JsonPointer;
  /** Null is presence. */
  readonly values: ListedValues | null;
}

/** `fields` were checked: their names are pointers. */
export function compileJsonSelector(fields: readonly BodyFieldDraft[]): BodySelector {
  const tests = fields.map(({ name, values }): PointerTest => {
    const pointer = compilePointer(name);
    if (typeof pointer === 'string') throw new TypeError(`${name} ${pointer}`);
    return Object.freeze({ pointer, values: compileValues(values) });
  });
  return Object.freeze({
    kind: 'json',
    text: fieldsText('json', fields),
    reads: (kind) => kind === 'json' || kind === 'none',
    flawOf: (body) => (body.kind === 'json' ? null : flawOfOther(body, 'json')),
    judge: (body, facts) => (body.kind === 'json' ? judge(tests, body, facts) : answerOfOther(body)),
  } satisfies BodySelector);
}

function judge(tests: readonly PointerTest[], body: RequestBody, facts: RouteFacts): BodyAnswer {
  for (const { pointer, values } of tests) {
    const found = valuesAt(body.json, pointer);
    if (found.length === 0) return 'absent';
    if (values !== null && !isUnknown(values, facts) && !anyListed(found, values, facts)) return 'absent';
  }
  return 'holds';
}

/** Scalars, and those in lists; depth is bounded by the reader. */
function anyListed(found: readonly unknown[], values: ListedValues, facts: RouteFacts): boolean {
  for (const value of found) {
    if (Array.isArray(value)) {
      if (anyListed(value, values, facts)) return true;
    } else if ((typeof value !== 'object' || value === null) && isListed(values, String(value), facts)) {
      return true;
    }
  }
  return false;
}
