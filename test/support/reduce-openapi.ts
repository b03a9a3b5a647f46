// An OpenAPI document reduced to what the lint reads and nobody's prose: paths, methods, ids, tags, parameters, media
// types and the shape of schemas. One operation a line, so that a change shows in a diff.
type Json = Readonly<Record<string, unknown>>;

const SCHEMA_KEYS = new Set([
  '$ref',
  'type',
  'format',
  'allOf',
  'anyOf',
  'oneOf',
  'items',
  'properties',
  'additionalProperties',
]);
const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch']);

export function reduceDocument(document: Json): string {
  const { openapi, info, paths, components } = document as {
    readonly openapi: string;
    readonly info: { readonly title: string; readonly version: string };
    readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
    readonly components: { readonly schemas: Json };
  };
  const pathLines = Object.entries(paths).map(([path, item]) => {
    const operations = Object.entries(item)
      .filter(([method]) => METHODS.has(method))
      .map(
        ([method, operation]) => `      ${JSON.stringify(method)}: ${JSON.stringify(operationOf(operation))}`,
      );
    return `    ${JSON.stringify(path)}: {\n${operations.join(',\n')}\n    }`;
  });
  const used = usedSchemas(Object.values(paths), components.schemas);
  const schemaLines = used.map(
    (name) => `      ${JSON.stringify(name)}: ${JSON.stringify(schemaOf(components.schemas[name]))}`,
  );
  const head = JSON.stringify({ title: info.title, version: info.version });
  return `{
  "openapi": ${JSON.stringify(openapi)},
  "info": ${head},
  "x-origin": "Names in the interface of unleash-server ${info.version} (a product under AGPL-3.0-or-later); its prose is left out. Made by test/policy/lint-measure.ts --reduce from the running server's own document.",
  "paths": {
${pathLines.join(',\n')}
  },
  "components": {
    "schemas": {
${schemaLines.join(',\n')}
    }
  }
}`;
}

function operationOf(operation: Json): Json {
  const { tags, operationId, parameters, requestBody, responses } = operation as Record<string, Json>;
  const successes = Object.entries(responses ?? {}).filter(([status]) => status.startsWith('2'));
  return {
    tags,
    operationId,
    ...(parameters === undefined
      ? {}
      : { parameters: (parameters as unknown as readonly Json[]).map(parameterOf) }),
    ...(requestBody === undefined ? {} : { requestBody: contentOf(requestBody) }),
    responses: Object.fromEntries(
      successes.map(([status, response]) => [status, contentOf(response as Json)]),
    ),
  };
}

function parameterOf({ name, in: place, schema }: Json): Json {
  const { enum: values } = (schema ?? {}) as Json;
  const reduced = schemaOf(schema) as Json;
  return { name, in: place, schema: values === undefined ? reduced : { ...reduced, enum: values } };
}

function contentOf({ content, headers }: Json): Json {
  const types = Object.entries((content ?? {}) as Record<string, Json>).map(([type, media]) => [
    type,
    { schema: schemaOf(media['schema']) },
  ]);
  return {
    ...(headers === undefined
      ? {}
      : { headers: Object.fromEntries(Object.keys(headers as Json).map((name) => [name, {}])) }),
    ...(types.length === 0 ? {} : { content: Object.fromEntries(types) }),
  };
}

function schemaOf(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(schemaOf);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => SCHEMA_KEYS.has(key))
      .map(([key, value]) => [
        key,
        key === 'properties'
          ? Object.fromEntries(Object.entries(value as Json).map(([name, field]) => [name, schemaOf(field)]))
          : schemaOf(value),
      ]),
  );
}

function usedSchemas(roots: readonly unknown[], schemas: Json): readonly string[] {
  const used = new Set<string>();
  const queue: unknown[] = [...roots];
  for (const one of queue) {
    for (const [, name] of JSON.stringify(one).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name === undefined || used.has(name) || schemas[name] === undefined) continue;
      used.add(name);
      queue.push(schemas[name]);
    }
  }
  return [...used].toSorted();
}
