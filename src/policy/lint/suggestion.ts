// A deny rule for one operation, ready to paste under `rules:` of a RoutePolicy. Guarantees: a pattern the parser takes
// and an id that the set does not have. Cold.
import { compilePattern } from '../pattern.ts';
import type { ApiOperation } from '../openapi-operation.ts';
import { literalsOf } from './hints-of-names.ts';

export interface SuggestedRule {
  readonly id: string;
  readonly category: string;
  readonly method: string;
  readonly path: string;
  /** Lines of YAML, indented as an item of `rules:`; no line break at the end. */
  readonly yaml: string;
}

/** `taken` are ids already given; the new one is added. Null where no pattern can name the path. */
export function suggestRule(
  { method, path }: Pick<ApiOperation, 'method' | 'path'>,
  category: string,
  taken: Set<string>,
): SuggestedRule | null {
  const pattern = patternOf(path);
  if (typeof compilePattern(pattern, 'wide') === 'string' || !/^[A-Z][A-Z-]{0,31}$/.test(method)) return null;
  const id = freeId(`${category}.${slugOf(path)}.${method.toLowerCase()}`, taken);
  taken.add(id);
  const yaml = [
    `    - id: ${id}`,
    `      category: ${category}`,
    '      match:',
    `        - methods: [${method}]`,
    `          paths: [${JSON.stringify(pattern)}]`,
  ].join('\n');
  return { id, category, method, path: pattern, yaml };
}

function patternOf(path: string): string {
  const [template = ''] = path.split(/[?#]/);
  const names = new Set<string>();
  const segments = template.split('/').filter((segment, i) => segment !== '' || i === 0);
  const patterns = segments.map((segment) => {
    const [, name] = /^\{([^{}]*)\}$/.exec(segment) ?? [];
    if (name === undefined)
      return segment
        .split(/\{[^{}]*\}/)
        .map(encodeLiteral)
        .join('*')
        .replace(/\*{2,}/g, '*');
    // A name may stand once, and only some names may stand at all.
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || names.has(name)) return '*';
    names.add(name);
    return `{${name}}`;
  });
  return patterns.length === 1 ? '/' : patterns.join('/');
}

function encodeLiteral(text: string): string {
  return text.replace(/%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()+,;=:@%]/gu, (char) => {
    if (char === '%') return '%25';
    if (char === '*') return '%2A';
    return encodeURIComponent(char.isWellFormed() ? char : '\u{FFFD}');
  });
}

/** The last two names of the path: what a reader of a record knows the route by. */
function slugOf(path: string): string {
  const names = literalsOf(path)
    .slice(-2)
    .map((name) =>
      name
        .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-+|-+$/g, '')
        .slice(0, 16),
    )
    .filter((name) => name !== '');
  return names.join('-') || 'root';
}

function freeId(wanted: string, taken: ReadonlySet<string>): string {
  const base = wanted.slice(0, 60);
  let id = base;
  for (let i = 2; taken.has(id); i++) id = `${base}-${i}`;
  return id;
}
