// A path template → raw request targets that stand for it, so that the gate's own code can be asked about an operation.
// Parameters get neutral values that no rule names, in two spellings, or the values their schema lists. Cold.
import type { ApiOperation, ApiParameter } from './openapi-operation.ts';

/** Longer than a word, shorter than a token, and no word of any rule: a letter form and a number. */
const NEUTRAL = ['qzx7', '4711'];
const NEUTRAL_NUMBER = ['4711'];
const NEUTRAL_UUID = ['6f1c0f2e-9b57-4f4a-8a3b-2d1c5e7f9a04'];
const MAX_TARGETS = 24;

/** At least one; the first has neutral values throughout. Origin form, percent-encoded, with the template's own query. */
export function targetsOf({
  path,
  parameters,
}: Pick<ApiOperation, 'path' | 'parameters'>): readonly string[] {
  const [template = '', ...query] = path.split('?');
  const names = [...new Set([...template.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] as string))];
  const choices = new Map(names.map((name) => [name, valuesOf(name, parameters)]));
  const targets = new Set<string>();
  const widest = Math.max(1, ...[...choices.values()].map((values) => values.length));
  // Every value of every parameter once: together, not in all combinations.
  for (let i = 0; i < widest && targets.size < MAX_TARGETS; i++) {
    const filled = template.replace(/\{([^{}]*)\}/g, (_whole, name: string) => {
      const values = choices.get(name) ?? NEUTRAL;
      return encodeURIComponent(values[Math.min(i, values.length - 1)] as string);
    });
    targets.add(encodeLiterals(filled) + (query.length === 0 ? '' : `?${query.join('?')}`));
  }
  return [...targets];
}

function valuesOf(name: string, parameters: readonly ApiParameter[]): readonly string[] {
  const parameter = parameters.find((one) => one.in === 'path' && one.name === name);
  if (parameter === undefined) return NEUTRAL;
  // A parameter that may hold slashes is not what a template's value can be, and an empty one is no value.
  const listed = parameter.values.filter((value) => value !== '' && !value.includes('/'));
  if (listed.length > 0) return listed;
  if (parameter.type === 'integer' || parameter.type === 'number') return NEUTRAL_NUMBER;
  return parameter.format === 'uuid' ? NEUTRAL_UUID : NEUTRAL;
}

/** What a path may not hold as it stands is encoded; what is encoded already stays. */
export function encodeLiterals(path: string): string {
  return path.replace(/%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/gu, (char) =>
    char === '%' ? '%25' : encodeURIComponent(char.isWellFormed() ? char : '\u{FFFD}'),
  );
}

/** The target with query parameters behind it, encoded. */
export function withQuery(target: string, pairs: readonly (readonly [string, string])[]): string {
  const query = pairs
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
  return target + (target.includes('?') ? '&' : '?') + query;
}
