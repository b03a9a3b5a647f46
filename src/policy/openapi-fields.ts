// The names of a schema's fields, three levels deep, through references and compositions; those that can only be a
// number or a switch are left out, since no secret is one. Guarantees: ends, whatever the schema refers to, and looks
// at no more than a bounded number of places. Cold.
import { type Json, listAt, own, recordAt, type References, textAt } from './openapi-references.ts';

const MAX_LEVEL = 3;
const MAX_SCHEMAS = 400;
const MAX_NAMES = 500;

interface Step {
  readonly schema: unknown;
  readonly level: number;
}

export function fieldsOf(references: References, schemas: readonly unknown[]): readonly string[] {
  const names = new Set<string>();
  const seen = new Set<Json>();
  const queue: Step[] = schemas.map((schema) => ({ schema, level: 1 }));
  // Breadth first, so that a schema met twice was met at its highest level.
  for (let i = 0; i < queue.length && seen.size < MAX_SCHEMAS; i++) {
    const { schema, level } = queue[i] as Step;
    const resolved = references.resolve(schema);
    if (resolved === null || seen.has(resolved)) continue;
    seen.add(resolved);
    for (const part of ['allOf', 'anyOf', 'oneOf']) {
      for (const one of listAt(resolved, part)) queue.push({ schema: one, level });
    }
    queue.push(
      { schema: own(resolved, 'items'), level },
      { schema: own(resolved, 'additionalProperties'), level },
    );
    for (const [name, field] of Object.entries(recordAt(resolved, 'properties') ?? {})) {
      if (names.size < MAX_NAMES && mayBeText(references, field)) names.add(name);
      if (level < MAX_LEVEL) queue.push({ schema: field, level: level + 1 });
    }
  }
  return [...names];
}

const NO_TEXT = new Set(['boolean', 'integer', 'number']);

function mayBeText(references: References, field: unknown): boolean {
  const schema = references.resolve(field);
  return schema === null || !NO_TEXT.has(textAt(schema, 'type') ?? '');
}
