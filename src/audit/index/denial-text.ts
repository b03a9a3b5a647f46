// Why a request was denied, read from the text of a completion or a refusal without parsing it. Quotes inside of a
// JSON string are escaped, so a key with its quotes is found only where it is a key. Warm: once per line that is not `ok`.
import { REASONS, type ReasonCode } from '#model/reason.ts';

const CODE = ',"code":"';
const RULE = /,"rule":\{"id":("(?:[^"\\]|\\.)*")/;
const JUDGED = /,"decisionUs":[1-9]/;

/** The rule's id, or the reason code where it was no rule; null where the request had been allowed (published-record.ts). */
export function denialIn(text: string): string | null {
  const from = text.indexOf(CODE) + CODE.length;
  if (from < CODE.length) return null;
  const code = text.slice(from, text.indexOf('"', from));
  if (code === 'ok' || (isFailure(code) && JUDGED.test(text))) return null;
  const rule = RULE.exec(text)?.[1];
  return rule === undefined ? code : (JSON.parse(rule) as string);
}

function isFailure(code: string): boolean {
  return Object.hasOwn(REASONS, code) && REASONS[code as ReasonCode].status >= 499;
}
