// Every profile there is by name: the shipped ones, and those in `profiles/` beside the configuration file, which come
// first where both have the name. All are read, since a tenant may be given any of them. Cold, at start only.
// Guarantees: never throws for anything the files may hold; all problems of all files, each with its place.
import { readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SettingsProfile } from '#model/settings-layer.ts';
import type { Problem } from './problem.ts';
import { createProblemList } from './problem-list.ts';
import { checkSchema } from './schema-check.ts';
import { classesAt, layerAt, type Tell, tellContradictions } from './settings-problems.ts';
import { fileProblem, readSource } from './source-file.ts';
import { readYaml, type YamlValue } from './yaml-source.ts';

/** From `src/config/` and from `dist/config/` alike, the package's root is two folders up. */
const SHIPPED = fileURLToPath(new URL('../../config/profiles/', import.meta.url));

const FILE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.yaml$/;
const MAX_FILES = 100;

export interface ProfileFiles {
  readonly profiles: ReadonlyMap<string, SettingsProfile>;
  readonly problems: readonly Problem[];
}

/** `folder` is that of the configuration file, absolute. */
export function readProfiles(folder: string): ProfileFiles {
  const own = join(folder, 'profiles');
  const files = new Map([...filesIn(SHIPPED), ...filesIn(own)]);
  const profiles = new Map<string, SettingsProfile>();
  const problems: Problem[] = [];
  if (files.size > MAX_FILES) {
    problems.push({ ...fileProblem(own, ''), message: `there are more than ${MAX_FILES} profiles` });
  }
  for (const [name, file] of [...files].slice(0, MAX_FILES)) {
    const read = readProfile(name, file);
    if ('problems' in read) problems.push(...read.problems);
    else profiles.set(name, read);
  }
  return { profiles, problems };
}

/** By name, in the order of the names; none where there is no such folder. */
function filesIn(folder: string): readonly (readonly [string, string])[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => FILE.test(name))
    .toSorted()
    .map((name) => [basename(name, '.yaml'), join(folder, name)]);
}

function readProfile(
  name: string,
  file: string,
): SettingsProfile | { readonly problems: readonly Problem[] } {
  const shown = relative('.', file);
  const text = readSource(file);
  if (typeof text !== 'string') return { problems: [fileProblem(shown, text.failure)] };
  const source = readYaml(text);
  const problems = createProblemList(shown, source);
  if (source.broken) return { problems: problems.finish() };
  checkSchema(source.value, problems, { schema: 'profile', pointer: '' });
  const root = mappingOf(source.value);
  const tell: Tell = (pointer, message) => {
    if (!problems.isReported(pointer)) problems.at(pointer, message);
  };
  const settings = layerAt(root['settings'], '/settings', tell);
  const classes = classesAt(root['classes'], '/classes', tell);
  if (problems.count === 0) {
    tellContradictions([settings], '/settings', tell);
    for (const [one, rules] of Object.entries(classes)) {
      tellContradictions([settings, rules], `/classes/${one}`, tell);
    }
  }
  return problems.count > 0 ? { problems: problems.finish() } : { name, settings, classes };
}

function mappingOf(value: YamlValue): { readonly [key: string]: YamlValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
