// Typed access to a file's values by JSON Pointer, for the builders. Cold.
// A value of the wrong type reads as nothing and is not reported here: the schema has done that. So every builder
// runs over any file, and what the schema cannot say is reported in the same run.
import { resolve } from 'node:path';
import { parseDuration } from '#model/duration.ts';
import type { ProblemList } from './problem-list.ts';
import { dotted } from './problem-list.ts';
import { checkSchema, type SchemaName } from './schema-check.ts';
import { readSecretFile, type Secret, secretOf } from './secret.ts';
import { parseSize } from './size.ts';
import type { YamlValue } from './yaml-source.ts';

export interface Reader {
  /** Empty when absent. */
  text(pointer: string): string;
  number(pointer: string): number;
  flag(pointer: string): boolean;
  /** The items of a list that are texts; empty when absent. Frozen. */
  texts(pointer: string): readonly string[];
  /** The length of a list. */
  count(pointer: string): number;
  /** The keys of a mapping, in the order of the file, as written. */
  keys(pointer: string): readonly string[];
  has(pointer: string): boolean;
  /** As it was read, for what a schema of its own describes. */
  value(pointer: string): YamlValue | undefined;
  /** Milliseconds; the bounds are durations too, both allowed. */
  durationMs(pointer: string, min: string, max: string): number;
  /** Bytes; the bounds are sizes too, both allowed. */
  sizeBytes(pointer: string, min: string, max: string): number;
  /** Absolute, resolved against the folder of the file; empty when absent. */
  path(pointer: string): string;
  /** Null when it could not be read, which is then reported. */
  secret(pointer: string): Secret | null;
  problem(pointer: string, message: string): void;
  /** Whether something was already said of exactly this value. */
  isReported(pointer: string): boolean;
  /** Holds what stands there, if anything does, to a schema of its own. */
  checkPart(pointer: string, schema: SchemaName): void;
  /** An unsafe choice that is allowed. */
  warn(pointer: string, message: string): void;
  /** Whether the text itself holds the value, rather than a default. */
  holds(pointer: string): boolean;
}

export interface ReaderDeps {
  readonly value: YamlValue;
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly problems: ProblemList;
  readonly warnings: ProblemList;
}

export function createReader(deps: ReaderDeps): Reader {
  const { value, folder, env, problems, warnings } = deps;
  const at = (pointer: string): YamlValue | undefined => valueAt(value, pointer);
  const text = (pointer: string): string => {
    const found = at(pointer);
    return typeof found === 'string' ? found : '';
  };
  const inRange = (pointer: string, limits: Limits): number => {
    const parsed = limits.parse(text(pointer));
    const [min, max] = [limits.parse(limits.min) ?? 0, limits.parse(limits.max) ?? 0];
    // Null: not of the form, which the schema has said; or of the form and more than JavaScript counts.
    const isOutside = parsed === null ? !problems.isReported(pointer) : parsed < min || parsed > max;
    if (text(pointer) !== '' && isOutside) {
      problems.at(pointer, `${dotted(pointer)}: from ${limits.min} to ${limits.max}, not ${text(pointer)}`);
    }
    return parsed ?? 0;
  };
  return {
    text,
    number: (pointer) => Number(at(pointer) ?? 0),
    flag: (pointer) => at(pointer) === true,
    texts: (pointer) => Object.freeze(listAt(at(pointer)).filter((one) => typeof one === 'string')),
    count: (pointer) => listAt(at(pointer)).length,
    keys: (pointer) => keysOf(at(pointer)),
    has: (pointer) => at(pointer) !== undefined,
    value: at,
    durationMs: (pointer, min, max) => inRange(pointer, { min, max, parse: parseDuration }),
    sizeBytes: (pointer, min, max) => inRange(pointer, { min, max, parse: parseSize }),
    path: (pointer) => (text(pointer) === '' ? '' : resolve(folder, text(pointer))),
    secret: (pointer) => readSecret({ pointer, text, folder, env, problems }),
    problem: (pointer, message) => problems.at(pointer, message),
    isReported: (pointer) => problems.isReported(pointer),
    checkPart(pointer, schema) {
      const found = at(pointer);
      if (found !== undefined) checkSchema(found, problems, { schema, pointer });
    },
    warn: (pointer, message) => warnings.at(pointer, message),
    holds: (pointer) => problems.holds(pointer),
  };
}

interface Limits {
  readonly min: string;
  readonly max: string;
  readonly parse: (text: string) => number | null;
}

interface SecretQuery {
  readonly pointer: string;
  readonly text: (pointer: string) => string;
  readonly folder: string;
  readonly env: ReaderDeps['env'];
  readonly problems: ProblemList;
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** Names the variable or the file, never a value. */
function readSecret(query: SecretQuery): Secret | null {
  const { pointer, text, problems } = query;
  const variable = text(`${pointer}/fromEnv`);
  if (variable !== '') {
    // A name that is none may be the secret itself; the schema has refused it without repeating it.
    if (!VARIABLE.test(variable)) return null;
    const found = Object.hasOwn(query.env, variable) ? query.env[variable] : undefined;
    if (found !== undefined && found !== '') return secretOf(found, null);
    problems.at(
      `${pointer}/fromEnv`,
      `the environment variable ${variable} ${found === '' ? 'is empty' : 'is not set'}`,
    );
    return null;
  }
  const path = text(`${pointer}/fromFile`);
  if (path === '') return null;
  const read = readSecretFile(resolve(query.folder, path));
  if (typeof read !== 'string') return read;
  problems.at(`${pointer}/fromFile`, `the file ${path} ${read}`);
  return null;
}

function valueAt(root: YamlValue, pointer: string): YamlValue | undefined {
  let value: YamlValue | undefined = root;
  for (const part of pointer.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    value = Object.hasOwn(value, key) ? (value as Record<string, YamlValue>)[key] : undefined;
  }
  return value;
}

function listAt(value: YamlValue | undefined): readonly YamlValue[] {
  return Array.isArray(value) ? value : [];
}

function keysOf(value: YamlValue | undefined): readonly string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}
