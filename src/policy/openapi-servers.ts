// `servers` of an OpenAPI document → the base paths under which its routes are met at the gate. The nearest list that
// is not empty counts (operation, path, document). Host names are no matter here. Cold.
import { isRecord, recordAt, textAt, type Json } from './openapi-references.ts';

const MAX_BASES = 8;

/** `lists` from the nearest outwards. At least one; each without a trailing slash, each once. */
export function basePathsOf(lists: readonly (readonly unknown[])[]): readonly string[] {
  const servers = lists.find((list) => list.some(isRecord)) ?? [];
  const bases = new Set(servers.filter(isRecord).slice(0, MAX_BASES).map(basePathOf));
  return bases.size === 0 ? [''] : [...bases];
}

function basePathOf(server: Json): string {
  const variables = recordAt(server, 'variables') ?? {};
  const url = (textAt(server, 'url') ?? '').replace(/\{([^{}]*)\}/g, (_whole, name: string) => {
    const variable = recordAt(variables, name);
    return (variable === null ? null : textAt(variable, 'default')) ?? '';
  });
  // Relative ones are relative to where the document lies, which is taken to be the root.
  const parsed = URL.parse(url, 'http://localhost/');
  if (parsed === null) return '';
  return parsed.pathname.replace(/\/+$/, '');
}
