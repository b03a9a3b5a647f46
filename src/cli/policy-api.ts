// An OpenAPI document from a file, for the policy commands that judge operations: its operations, or every problem.
// A document that hides an operation (a path item that is not in it) is a problem, never passed over. Not hot.
import { parseOpenApi, readOpenApiFile } from '#policy/openapi-document.ts';
import type { ApiDocument } from '#policy/openapi-operation.ts';
import { readOperations } from '#policy/openapi-operations.ts';
import { type PolicyProblem, problemOfFile } from '#policy/problem.ts';

export interface LoadedApi {
  /** Null exactly when there are problems. */
  readonly document: ApiDocument | null;
  readonly problems: readonly PolicyProblem[];
}

export async function loadApi(file: string): Promise<LoadedApi> {
  const bytes = await readOpenApiFile(file);
  if (typeof bytes === 'string') return { document: null, problems: [problemOfFile(file, bytes)] };
  const { value, problems } = parseOpenApi(file, bytes);
  if (problems !== null) return { document: null, problems };
  const { document, flaws } = readOperations(value);
  return { document, problems: flaws.map((flaw) => problemOfFile(file, flaw)) };
}
