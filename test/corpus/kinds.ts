// Files of the corpus whose rows are not requests: a file that says `kind: NAME` is judged by the function of that name
// here. A kind is added with its judge; a file of an unknown kind is an error, never passed over.
import type { CorpusFile, CorpusRow } from '../support/corpus-cases.ts';
import { judgeResponses } from './responses/judge-responses.ts';
import { judgeCookies } from './tokens/judge-cookies.ts';
import { judgeLog } from './log/judge-log.ts';
import { judgePolicies } from './policies/judge-policies.ts';
import { judgeTokens } from './tokens/judge-tokens.ts';

/** One row or case of such a file, judged. */
export interface JudgedRow {
  /** The row's, with `.` and a number when it holds several cases. */
  readonly id: string;
  readonly failures: readonly string[];
}

/** Judges every case of the rows that it is given, with whatever gate or loader it needs; it ends what it starts. */
type JudgeKind = (rows: readonly CorpusRow[]) => Promise<readonly JudgedRow[]>;

const KINDS: ReadonlyMap<string, JudgeKind> = new Map<string, JudgeKind>([
  ['response', judgeResponses],
  ['tokens', judgeTokens],
  ['cookies', judgeCookies],
  ['policies', judgePolicies],
  ['log', judgeLog],
]);

/** Throws when nobody knows the file's kind. `wanted` says which ids are asked for. */
export async function judgeKind(
  { name, kind, rows }: CorpusFile,
  wanted: (id: string) => boolean,
): Promise<readonly (JudgedRow & { readonly row: CorpusRow })[]> {
  const judge = KINDS.get(kind);
  if (judge === undefined) throw new Error(`${name}: nobody judges the kind ${kind}`);
  const asked = rows.filter(({ id }) => wanted(id));
  const judged = asked.length === 0 ? [] : await judge(asked);
  return judged.map((one) => {
    const row = asked.find(({ id }) => one.id === id || one.id.startsWith(`${id}.`));
    if (row === undefined) throw new Error(`${name}: ${one.id} is of no row`);
    return { id: one.id, failures: one.failures, row };
  });
}
