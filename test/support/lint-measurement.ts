// How well the lint's model finds what a person labelled sensitive: recall, precision and the order, on a document and
// under a policy set. Used by the unit test and by `npm run lint:measure`.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { parseTarget } from '../../src/gateway/request-target.ts';
import { compilePolicy } from '#policy/compile.ts';
import { lintOperations } from '#policy/lint/lint-policy.ts';
import { listPolicyFiles, parseFiles } from '#policy/load-directory.ts';
import type { ApiOperation } from '#policy/openapi-operation.ts';
import { readOperations } from '#policy/openapi-operations.ts';
import { parseOpenApi } from '#policy/openapi-document.ts';
import { operation } from './lint-subject.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
export const UNLEASH_DOCUMENT = `${ROOT}test/policy/unleash-openapi.json`;
/** Written for one product: what is measured is how the lint does without them. */
const PRODUCT_PACKS = new Set(['unleash', 'zendesk', 'zoho-crm', 'freshservice']);

interface LabelFile {
  readonly sensitive: Readonly<Record<string, readonly string[]>>;
  readonly leaks?: readonly string[];
  readonly otherwise?: readonly string[];
  readonly harmless: readonly string[];
}

export type Label = 'sensitive' | 'leak' | 'harmless';

/** `METHOD /path` → its label. */
export function readLabels(name: string): ReadonlyMap<string, Label> {
  const { sensitive, leaks = [], otherwise = [], harmless } = readLabelFile(name);
  const labels = new Map<string, Label>();
  const add = (lines: readonly string[], label: Label): void => {
    for (const line of lines) {
      const key = line.split(' ').slice(0, 2).join(' ');
      if (labels.has(key)) throw new Error(`${name}: ${key} stands twice`);
      labels.set(key, label);
    }
  };
  add(Object.values(sensitive).flat(), 'sensitive');
  add(leaks, 'leak');
  add([...otherwise, ...harmless], 'harmless');
  return labels;
}

function readLabelFile(name: string): LabelFile {
  return parse(readFileSync(`${ROOT}test/policy/${name}-sensitivity.yaml`, 'utf8')) as LabelFile;
}

export function unleashOperations(file = UNLEASH_DOCUMENT): readonly ApiOperation[] {
  const { value, problems } = parseOpenApi(file, readFileSync(file));
  const { document, flaws } = readOperations(value);
  if (document === null) throw new Error(JSON.stringify([problems, flaws]));
  return document.operations;
}

export function helpDeskOperations(): readonly ApiOperation[] {
  return operationsOfLabels('help-desk');
}

/** A label file that is its own document: `METHOD /path operationId [media type of the answer]`. */
export function operationsOfLabels(name: string): readonly ApiOperation[] {
  const { sensitive, harmless } = readLabelFile(name);
  return [...Object.values(sensitive).flat(), ...harmless].map((line) => {
    const [method = '', path = '', operationId = null, type = 'application/json'] = line.split(' ');
    return operation(method, path, { operationId, responseTypes: [type] });
  });
}

export type PolicyChoice = 'none' | 'general';

/** `general`: policies/*.yaml and the packs that are written for no product. `none`: one rule that nothing meets. */
async function loadPolicy(choice: PolicyChoice): ReturnType<typeof parseFiles> {
  if (choice === 'none') return parseFiles([`${ROOT}test/policy/lint-nothing-denied.yaml`]);
  const own = await listPolicyFiles(`${ROOT}policies`);
  const packs = await listPolicyFiles(`${ROOT}policies/packs`);
  const general = packs.files.filter((file) => !PRODUCT_PACKS.has(/([^/]+)\.yaml$/.exec(file)?.[1] ?? ''));
  return parseFiles([...own.files, ...general]);
}

export interface Measurement {
  readonly sensitive: number;
  readonly denied: number;
  /** Sensitive, undenied, and with at least the score. */
  readonly flagged: number;
  readonly recall: number;
  /** Not found: `METHOD /path score`. */
  readonly missed: readonly string[];
  /** Harmless ones with at least the score, as above. */
  readonly falseAlarms: readonly string[];
  /** Of what is flagged; 1 where nothing is. */
  readonly precision: number;
  /** `sensitive is not above harmless`, each pair. */
  readonly inversions: readonly string[];
  /** Leaks that no document shows: how many, and how many of them were denied or flagged all the same. */
  readonly leaks: number;
  readonly leaksFound: number;
}

export async function measure(
  operations: readonly ApiOperation[],
  labels: ReadonlyMap<string, Label>,
  choice: PolicyChoice,
  minScore: number,
): Promise<Measurement> {
  const { documents, problems } = await loadPolicy(choice);
  const source = 'policies';
  const compiled = compilePolicy(documents, { source, dangerouslyAllowEmpty: false, defaultEffect: 'allow' });
  if (compiled.policy === null) throw new Error(JSON.stringify([problems, compiled.problems]));
  const subject = { source, documents, policy: compiled.policy, parseTarget };
  const { decisions, suspects } = lintOperations(subject, { operations, host: '' });
  const scores = new Map(suspects.map(({ decision, score }) => [keyOf(decision.operation), score]));
  const open = decisions
    .filter(({ decision }) => decision !== 'deny')
    .map(({ operation }) => {
      const key = keyOf(operation);
      const label = labels.get(key);
      if (label === undefined) throw new Error(`no label: ${key}`);
      return { key, label, score: scores.get(key) ?? 0 };
    });
  return figures([...labels.values()], open, minScore);
}

interface Open {
  readonly key: string;
  readonly label: Label;
  readonly score: number;
}

function figures(labels: readonly Label[], open: readonly Open[], minScore: number): Measurement {
  const all = (label: Label): number => labels.filter((one) => one === label).length;
  const of = (label: Label): readonly Open[] => open.filter((one) => one.label === label);
  const told = (list: readonly Open[]): readonly string[] => list.map(({ key, score }) => `${key} ${score}`);
  const flagged = of('sensitive').filter(({ score }) => score >= minScore);
  const falseAlarms = of('harmless').filter(({ score }) => score >= minScore);
  const denied = all('sensitive') - of('sensitive').length;
  const shown = flagged.length + falseAlarms.length;
  const inversions = of('sensitive').flatMap((low) =>
    of('harmless')
      .filter((high) => high.score >= low.score)
      .map((high) => `${low.key} ${low.score} is not above ${high.key} ${high.score}`),
  );
  return {
    sensitive: all('sensitive'),
    denied,
    flagged: flagged.length,
    recall: (denied + flagged.length) / all('sensitive'),
    missed: told(of('sensitive').filter(({ score }) => score < minScore)),
    falseAlarms: told(falseAlarms),
    precision: shown === 0 ? 1 : flagged.length / shown,
    inversions,
    leaks: all('leak'),
    leaksFound: all('leak') - of('leak').filter(({ score }) => score < minScore).length,
  };
}

function keyOf({ method, path }: ApiOperation): string {
  return `${method} ${path}`;
}
