// `form`: fields of a URL-encoded form, read like a query: the widest reading of query.ts. Guarantees: a name or
// value that has to be read and cannot be is unreadable, not absent. Keeps one view as scratch space. Not hot.
import type { BodyAnswer, BodyFieldDraft, BodySelector } from './body-selector.ts';
import { answerOfOther, fieldsText, flawOfOther } from './body-text.ts';
import { compileValues, isListed, isUnknown, type ListedValues } from './body-values.ts';
import type { RouteFacts } from './compiled-policy.ts';
import { foldName, QueryView } from './query.ts';
import type { RequestBody } from './request-body.ts';

interface FieldTest {
  /** As `foldName` makes it. */
  readonly name: string;
  /** Null is presence. */
  readonly values: ListedValues | null;
}

export function compileFormSelector(fields: readonly BodyFieldDraft[]): BodySelector {
  const tests = fields.map(
    ({ name, values }): FieldTest => ({ name: foldName(name), values: compileValues(values) }),
  );
  const view = new QueryView(tests.map(({ name }) => name));
  const judgeForm = (body: RequestBody, facts: RouteFacts) => {
    view.reset(body.form);
    return judge(tests, view, facts);
  };
  return Object.freeze({
    kind: 'form',
    text: fieldsText('form', fields),
    reads: (kind) => kind === 'form' || kind === 'none',
    flawOf(body, facts) {
      if (body.kind !== 'form') return flawOfOther(body, 'form');
      return judgeForm(body, facts) === 'unreadable' ? 'a name or value of the form is malformed' : null;
    },
    judge: (body, facts) => (body.kind === 'form' ? judgeForm(body, facts) : answerOfOther(body)),
  } satisfies BodySelector);
}

function judge(tests: readonly FieldTest[], view: QueryView, facts: RouteFacts): BodyAnswer {
  let answer: BodyAnswer = 'holds';
  for (const { name, values } of tests) {
    const found = view.valuesOf(name);
    const isMalformed = view.isUnreadable(name);
    if (holds(values, found, facts) || (isMalformed && isPresent(values, facts))) continue;
    if (!isMalformed && !view.unreadableName) return 'absent';
    answer = 'unreadable';
  }
  return answer;
}

/** Whether being there is enough. */
function isPresent(values: ListedValues | null, facts: RouteFacts): boolean {
  return values === null || isUnknown(values, facts);
}

function holds(values: ListedValues | null, found: ReadonlySet<string>, facts: RouteFacts): boolean {
  for (const value of found) if (values === null || isListed(values, value, facts)) return true;
  return false;
}
