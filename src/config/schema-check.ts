// Plain values against the shipped JSON Schema: fills in its defaults and says each failure in words. Cold.
// The schema is the one truth about keys, types and defaults; what it cannot say is checked in build-*.ts.
import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { laterKey, laterValue } from './later-keys.ts';
import { nearestWord } from './nearest.ts';
import { quoted, visible } from './problem.ts';
import { dotted, type ProblemList } from './problem-list.ts';
import { pointerTo, type YamlValue } from './yaml-source.ts';

/** From `src/config/` and from `dist/config/` alike, the package's root is two folders up. */
const SCHEMAS_URL = new URL('../../config/schemas/', import.meta.url);

interface SchemaNode {
  readonly title?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** What a value is held to: a file of its kind, or one part of a profile that stands in another file. */
export type SchemaName = 'gateway' | 'profile' | 'profile#settings' | 'profile#classes';

const compiled = new Map<SchemaName, ValidateFunction>();

function validator(name: SchemaName): ValidateFunction {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
  });
  const [file = '', part] = name.split('#');
  const schema = JSON.parse(readFileSync(new URL(`${file}.schema.json`, SCHEMAS_URL), 'utf8')) as {
    readonly definitions: object;
  };
  const { definitions } = schema;
  const made = ajv.compile(part === undefined ? schema : { $ref: `#/definitions/${part}`, definitions });
  compiled.set(name, made);
  return made;
}

export interface CheckedPlace {
  readonly schema: SchemaName;
  /** Where in its file the value stands. */
  readonly pointer: string;
}

/** Fills defaults into `value` and adds each failure to `problems`; true when there was none. */
export function checkSchema(
  value: YamlValue,
  problems: ProblemList,
  { schema, pointer }: CheckedPlace = { schema: 'gateway', pointer: '' },
): boolean {
  const validate = validator(schema);
  if (validate(value)) return true;
  // Why a key's name is wrong is said by its schema as a whole, and once.
  const errors = (validate.errors ?? []).filter(
    (error) => error.keyword !== 'if' && error.propertyName === undefined,
  );
  // Of a choice only its title helps; why each alternative failed would be said once per alternative.
  const choices = errors.filter((error) => error.keyword === 'anyOf').map((error) => error.instancePath);
  for (const error of errors) {
    const { instancePath } = error;
    const isDetail = choices.some(
      (choice) =>
        instancePath.startsWith(`${choice}/`) || (instancePath === choice && error.keyword !== 'anyOf'),
    );
    if (!isDetail) tell({ ...error, instancePath: pointer + instancePath }, problems);
  }
  return false;
}

function tell(error: ErrorObject, problems: ProblemList): void {
  const { instancePath: pointer, keyword, params } = error;
  if (keyword === 'additionalProperties') {
    const key = (params as { additionalProperty: string }).additionalProperty;
    const known = Object.keys((error.parentSchema as SchemaNode).properties ?? {});
    const place = pointerTo(pointer, key);
    problems.atUnknownKey(place, laterKey(place) ?? unknownKey(key, known));
  } else if (keyword === 'required') {
    const missing = (params as { missingProperty: string }).missingProperty;
    problems.at(pointerTo(pointer, missing), `${dotted(pointerTo(pointer, missing))} is missing`);
  } else if (keyword === 'propertyNames') {
    const { propertyName } = params as { propertyName: string };
    const { title } = error.schema as SchemaNode;
    problems.atUnknownKey(
      pointerTo(pointer, propertyName),
      `a key of ${dotted(pointer)} is ${title ?? 'another name'}`,
    );
  } else if (keyword === 'uniqueItems') {
    const { i, j } = params as { i: number; j: number };
    problems.at(pointerTo(pointer, Math.max(i, j)), `stands in ${dotted(pointer)} twice`);
  } else {
    problems.at(pointer, laterValue(pointer, error.data) ?? wrongValue(error, problems));
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  const nearest = nearestWord(key, known);
  if (nearest !== null) return `unknown key ${quoted(key)}; did you mean ${quoted(nearest)}?`;
  return `unknown key ${quoted(key)}${known.length === 0 ? '' : `; known here: ${known.join(', ')}`}`;
}

function wrongValue(error: ErrorObject, problems: ProblemList): string {
  const { instancePath: pointer, keyword, data } = error;
  const schema = error.parentSchema as SchemaNode;
  const what = dotted(pointer);
  if (data === null) return `${what} is empty: give it a value, or remove the key`;
  const expected = expectation(keyword, error.params as Record<string, unknown>, schema);
  if (keyword === 'minItems') return `${what} must name at least one`;
  if (typeof data === 'number' && isWithUnit(schema)) {
    return `${what}: a bare number has no unit; expected ${expected}`;
  }
  if (typeof data === 'object') return `${what}: expected ${expected}`;
  if (problems.isSecret(pointer))
    return `${what}: expected ${expected}; a secret is never written in this file`;
  return `${what}: expected ${expected}, not ${quoted(data)}${suggestion(data, schema)}`;
}

function isWithUnit(schema: SchemaNode): boolean {
  return schema.title !== undefined && /\bunit\b/.test(schema.title);
}

function suggestion(data: unknown, schema: SchemaNode): string {
  if (typeof data !== 'string' || schema.enum === undefined) return '';
  const nearest = nearestWord(
    data,
    schema.enum.filter((one) => typeof one === 'string'),
  );
  return nearest === null ? '' : `; did you mean ${quoted(nearest)}?`;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'a mapping of keys to values',
  array: 'a list',
  string: 'a text',
  integer: 'a whole number',
  boolean: 'true or false',
};

function expectation(keyword: string, params: Record<string, unknown>, schema: SchemaNode): string {
  if (keyword === 'enum' || keyword === 'const') {
    const allowed = keyword === 'enum' ? (params['allowedValues'] as unknown[]) : [params['allowedValue']];
    return allowed
      .map((one) => visible(String(one)))
      .join(', ')
      .replace(/, ([^,]*)$/, ' or $1');
  }
  // The root's title names the file, not what is expected of a value.
  if (schema.title !== undefined && !('$schema' in schema)) return schema.title;
  if (keyword === 'minimum' || keyword === 'maximum') return `${schema.minimum} to ${schema.maximum}`;
  if (keyword === 'minLength') return 'a text that is not empty';
  if (keyword === 'maxLength') return `at most ${String(params['limit'])} characters`;
  if (keyword === 'maxItems' || keyword === 'maxProperties')
    return `at most ${String(params['limit'])} of them`;
  return TYPE_WORDS[String(params['type'])] ?? 'another value';
}
