// A plain OpenAPI 3.x value → its operations with what a person would judge them by. Guarantees: linear in the document
// per operation and bounded; callbacks and webhooks are what the server calls, so they are no routes and left out; a
// path item that cannot be read is a problem, for an operation must never be missing silently. Cold.
import type { ApiDocument, ApiOperation, ApiParameter } from './openapi-operation.ts';
import { fieldsOf } from './openapi-fields.ts';
import {
  createReferences,
  isRecord,
  type Json,
  listAt,
  own,
  recordAt,
  type References,
  textAt,
} from './openapi-references.ts';
import { basePathsOf } from './openapi-servers.ts';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'];
const MAX_OPERATIONS = 20_000;
const MAX_VALUES = 32;
const MAX_TEXT = 4000;

export interface ReadOperations {
  /** Null exactly when there are flaws. */
  readonly document: ApiDocument | null;
  /** Sentences without a place. */
  readonly flaws: readonly string[];
}

export function readOperations(value: unknown): ReadOperations {
  if (!isRecord(value)) return flawed('the document must be a mapping');
  const version = textAt(value, 'openapi');
  if (version === null) {
    const isOld = own(value, 'swagger') !== undefined;
    return flawed(
      isOld
        ? 'this is a Swagger 2.0 document: convert it to OpenAPI 3 first'
        : 'the document has no `openapi` version',
    );
  }
  if (!/^3\.\d+(?:\.\d+)?(?:-[\w.]+)?$/.test(version)) return flawed('only OpenAPI 3.x is read');
  const paths = recordAt(value, 'paths');
  const references = createReferences(value);
  const flaws: string[] = [];
  const operations: ApiOperation[] = [];
  for (const [path, item] of Object.entries(paths ?? {})) {
    if (path.startsWith('x-')) continue;
    const shown = JSON.stringify(path.slice(0, 120));
    const resolved = references.resolve(item);
    if (!path.startsWith('/')) flaws.push(`path ${shown} must start with "/"`);
    else if (resolved === null)
      flaws.push(`path ${shown} is not described in this document: bundle its parts first`);
    else operations.push(...operationsAt({ root: value, references }, path, resolved));
    if (operations.length > MAX_OPERATIONS) return flawed(`more than ${MAX_OPERATIONS} operations`);
  }
  if (flaws.length > 0) return { document: null, flaws };
  if (operations.length === 0) return flawed('the document describes no operation');
  const info = recordAt(value, 'info');
  const title = info === null ? null : textAt(info, 'title');
  return { document: { version, title, operations, unresolved: [...references.unresolved] }, flaws: [] };
}

interface Within {
  readonly root: Json;
  readonly references: References;
}

function* operationsAt(within: Within, path: string, item: Json): Generator<ApiOperation> {
  for (const method of METHODS) {
    const operation = recordAt(item, method);
    if (operation !== null) yield* operationOf(within, { method, path, item, operation });
  }
  // OpenAPI 3.2: methods that have no field of their own.
  for (const [method, operation] of Object.entries(recordAt(item, 'additionalOperations') ?? {})) {
    if (isRecord(operation)) yield* operationOf(within, { method, path, item, operation });
  }
}

interface Described {
  readonly method: string;
  readonly path: string;
  readonly item: Json;
  readonly operation: Json;
}

function* operationOf(within: Within, { method, path, item, operation }: Described): Generator<ApiOperation> {
  const { root, references } = within;
  const body = references.resolve(own(operation, 'requestBody'));
  const answers = successes(references, operation);
  const shape = {
    method: method.toUpperCase(),
    operationId: textAt(operation, 'operationId'),
    summary: bounded(textAt(operation, 'summary') ?? textAt(item, 'summary')),
    description: bounded(textAt(operation, 'description')),
    tags: listAt(operation, 'tags').filter((tag) => typeof tag === 'string'),
    parameters: parametersOf(references, [...listAt(item, 'parameters'), ...listAt(operation, 'parameters')]),
    requestTypes: typesOf(body === null ? [] : [body]),
    responseTypes: typesOf(answers),
    responseHeaders: answers.flatMap((answer) =>
      Object.keys(recordAt(answer, 'headers') ?? {}).map((name) => name.toLowerCase()),
    ),
    requestFields: fieldsOf(references, schemasOf(body === null ? [] : [body])),
    responseFields: fieldsOf(references, schemasOf(answers)),
  };
  const bases = basePathsOf([operation, item, root].map((holder) => listAt(holder, 'servers')));
  for (const base of bases) yield { ...shape, path: base + path };
}

function successes(references: References, operation: Json): readonly Json[] {
  const responses = recordAt(operation, 'responses') ?? {};
  return Object.entries(responses).flatMap(([status, response]) => {
    if (!/^(?:2..|default)$/i.test(status)) return [];
    // A default beside a named success describes the failures.
    if (status === 'default' && Object.keys(responses).length > 1) return [];
    const resolved = references.resolve(response);
    return resolved === null ? [] : [resolved];
  });
}

function typesOf(holders: readonly Json[]): readonly string[] {
  const types = holders.flatMap((holder) => Object.keys(recordAt(holder, 'content') ?? {}));
  return [...new Set(types.map((type) => (type.split(';')[0] as string).trim().toLowerCase()))];
}

function schemasOf(holders: readonly Json[]): readonly unknown[] {
  return holders.flatMap((holder) =>
    Object.values(recordAt(holder, 'content') ?? {}).flatMap((media) =>
      isRecord(media) ? [own(media, 'schema')] : [],
    ),
  );
}

const PLACES = ['path', 'query', 'header', 'cookie'] as const;

/** The operation's own stand behind its path's, and win. */
function parametersOf(references: References, described: readonly unknown[]): readonly ApiParameter[] {
  const parameters = new Map<string, ApiParameter>();
  for (const one of described) {
    const parameter = references.resolve(one);
    if (parameter === null) continue;
    const name = textAt(parameter, 'name');
    const place = PLACES.find((known) => known === textAt(parameter, 'in'));
    if (name === null || place === undefined) continue;
    const schema = references.resolve(own(parameter, 'schema')) ?? {};
    const values = listAt(schema, 'enum')
      .slice(0, MAX_VALUES)
      .filter((value) => typeof value === 'string' || typeof value === 'number')
      .map(String);
    const types = { type: textAt(schema, 'type'), format: textAt(schema, 'format') };
    parameters.set(`${place} ${name}`, { name, in: place, values, ...types });
  }
  return [...parameters.values()];
}

function bounded(text: string | null): string | null {
  return text === null ? null : text.slice(0, MAX_TEXT);
}

function flawed(flaw: string): ReadOperations {
  return { document: null, flaws: [flaw] };
}
