// The accepted survivors, each with its reason, and how they are held against a run: a survivor that is not listed
// and a listed one that is gone, or is killed by now, are both problems.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Mutant } from './mutants.ts';

/** One reason for one or more mutants of the same line. */
export interface Accepted {
  readonly file: string;
  readonly within: string;
  readonly line: string;
  readonly changes: readonly string[];
  readonly why: string;
}

export interface Judged {
  readonly mutant: Mutant;
  readonly survived: boolean;
}

export interface SurvivorProblems {
  readonly unlisted: readonly Mutant[];
  /** Each a sentence. */
  readonly stale: readonly string[];
}

/** Throws, with the number of the entry, for a list that is not of that form. */
export function readAccepted(path: string): readonly Accepted[] {
  const entries: unknown = parse(readFileSync(path, 'utf8')) ?? [];
  if (!Array.isArray(entries)) throw new Error(`${path} is not a list`);
  return entries.map((entry: unknown, i) => {
    if (!isAccepted(entry)) throw new Error(`${path}: entry ${i + 1} needs file, within, line, changes, why`);
    return entry;
  });
}

/** `judged` holds every mutant of the files that were run, or a sample of them. */
export function holdAgainst(
  accepted: readonly Accepted[],
  judged: readonly Judged[],
  whole: boolean,
): SurvivorProblems {
  const fates = new Map(judged.map(({ mutant, survived }) => [keyOf(mutant), survived]));
  const listed = new Set<string>();
  const files = new Set(judged.map(({ mutant }) => mutant.file));
  const stale: string[] = [];
  for (const { file, within, line, changes } of accepted) {
    for (const change of changes) {
      const key = keyOf({ file, within, lineText: line, change });
      listed.add(key);
      const survived = fates.get(key);
      const name = `${file}, ${within}: ${change}`;
      if (survived === false) stale.push(`${name}: is killed by now`);
      if (survived === undefined && whole && files.has(file)) stale.push(`${name}: is no mutant of the file`);
    }
  }
  const unlisted = judged.filter(({ mutant, survived }) => survived && !listed.has(keyOf(mutant)));
  return { unlisted: unlisted.map(({ mutant }) => mutant), stale };
}

function keyOf({
  file,
  within,
  lineText,
  change,
}: Pick<Mutant, 'file' | 'within' | 'lineText' | 'change'>): string {
  return JSON.stringify([file, within, lineText, change]);
}

function isAccepted(entry: unknown): entry is Accepted {
  if (typeof entry !== 'object' || entry === null) return false;
  const { file, within, line, changes, why } = entry as Record<string, unknown>;
  const texts = [
    file,
    within,
    line,
    why,
    ...(Array.isArray(changes) && changes.length > 0 ? changes : [null]),
  ];
  return texts.every((text) => typeof text === 'string' && text !== '');
}
