// The reviewed table (decisions.tsv) beside the operations that the running product says it has.
// A wrong line is an error here, not an operation that is silently not tested.
import { readFileSync } from 'node:fs';

export interface Decision {
  readonly method: string;
  /** As in the OpenAPI document, with `{parameters}`. */
  readonly path: string;
  /** The rule that must refuse it; null where it must be let through. */
  readonly rule: string | null;
  readonly reason: string;
}

export interface OpenApiDocument {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly requestBody?: unknown }>>>>;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly takesBody: boolean;
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

export const keyOf = ({ method, path }: { readonly method: string; readonly path: string }): string =>
  `${method} ${path}`;

function decisionIn(line: string, at: string): Decision {
  const [decision, method, path, rule, reason, ...more] = line.split('\t');
  const isComplete =
    method !== undefined && path?.startsWith('/') === true && rule !== undefined && reason !== undefined;
  if (!isComplete || more.length > 0) throw new Error(`${at}: five columns separated by tabs are needed`);
  if (decision === 'allow' && rule === '') return { method, path, rule: null, reason };
  if (decision === 'deny' && rule !== '' && reason !== '') return { method, path, rule, reason };
  throw new Error(`${at}: either "allow" without a rule, or "deny" with a rule and a reason`);
}

/** In the file's order. Throws for a malformed line or a second one for the same operation. */
export function readDecisions(file: string): readonly Decision[] {
  const decisions: Decision[] = [];
  const seen = new Set<string>();
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const at = `decisions.tsv:${index + 1}`;
    const decision = decisionIn(line, at);
    if (seen.has(keyOf(decision))) throw new Error(`${at}: ${keyOf(decision)} stands twice`);
    seen.add(keyOf(decision));
    decisions.push(decision);
  }
  return decisions;
}

export function operationsOf(document: OpenApiDocument): readonly Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => METHODS.has(method))
      .map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        takesBody: operation.requestBody !== undefined,
      })),
  );
}

/** What one side has and the other has not, as `METHOD path`. */
export function differences(
  operations: readonly Operation[],
  decisions: readonly Decision[],
): { readonly unreviewed: readonly string[]; readonly unknown: readonly string[] } {
  const offered = new Set(operations.map(keyOf));
  const reviewed = new Set(decisions.map(keyOf));
  return {
    unreviewed: [...offered].filter((key) => !reviewed.has(key)),
    unknown: [...reviewed].filter((key) => !offered.has(key)),
  };
}
