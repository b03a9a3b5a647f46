// The published schema, compiled: what every record of a sink must satisfy.
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';

const addFormats = addFormatsModule.default;
const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, allowUnionTypes: true });
addFormats(ajv);
const validate = ajv.compile(
  JSON.parse(
    readFileSync(new URL('../../config/schemas/audit-record.schema.json', import.meta.url), 'utf8'),
  ) as object,
);

/** What is wrong with a record; empty when nothing is. */
export function recordProblems(record: unknown): string[] {
  if (validate(record)) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`);
}
