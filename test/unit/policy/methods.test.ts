// Methods of rules and requests (P6): what a rule that names a method covers, in every way a request may claim it.
import { describe, expect, it } from 'vitest';
import {
  bitsOfRequest,
  compileMethods,
  KNOWN_METHODS,
  methodsCover,
  methodsCoverAny,
  namesOverridable,
} from '#policy/methods.ts';

const KNOWN = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'];

/** Which methods of a request a rule on `named` covers. */
function covered(named: readonly string[], asked: readonly string[] = KNOWN): readonly string[] {
  const set = compileMethods(named);
  return asked.filter((method) => methodsCover(set, method, bitsOfRequest(method)));
}

describe('the methods of a rule', () => {
  it('cover themselves and no other, except that GET covers HEAD and both GET and POST cover QUERY', () => {
    expect(covered(['GET'])).toEqual(['GET', 'HEAD', 'QUERY']);
    expect(covered(['HEAD'])).toEqual(['HEAD']);
    expect(covered(['POST'])).toEqual(['POST', 'QUERY']);
    expect(covered(['PUT'])).toEqual(['PUT']);
    expect(covered(['PATCH'])).toEqual(['PATCH']);
    expect(covered(['DELETE'])).toEqual(['DELETE']);
    expect(covered(['OPTIONS'])).toEqual(['OPTIONS']);
    expect(covered(['QUERY'])).toEqual(['QUERY']);
    expect(covered(['PUT', 'DELETE'])).toEqual(['PUT', 'DELETE']);
    expect(covered([])).toEqual([]);
  });

  it('cover a method without a bit by its exact name', () => {
    const asked = [...KNOWN, 'PROPFIND', 'PURGE', 'propfind', 'get'];
    expect(covered(['PROPFIND', 'DELETE'], asked)).toEqual(['DELETE', 'PROPFIND']);
    expect(covered(['GET'], asked)).toEqual(['GET', 'HEAD', 'QUERY']);
  });

  it('are kept sorted, without duplicates, and frozen', () => {
    const set = compileMethods(['PUT', 'PURGE', 'GET', 'PUT', 'MKCOL']);
    expect(set.names).toEqual(['GET', 'MKCOL', 'PURGE', 'PUT']);
    expect(set.others).toEqual(['MKCOL', 'PURGE']);
    expect([set, set.names, set.others].every((one) => Object.isFrozen(one))).toBe(true);
  });

  it('are known by name for suggestions', () => {
    expect(KNOWN_METHODS).toEqual(KNOWN);
  });
});

describe('a `_method`', () => {
  it('counts in any case and with white space around it, when any of several is named', () => {
    const set = compileMethods(['DELETE', 'PURGE']);
    for (const name of ['DELETE', 'delete', ' Delete\t', 'purge'])
      expect(methodsCoverAny(set, [name])).toBe(true);
    expect(methodsCoverAny(set, ['get', 'delete'])).toBe(true);
    expect(methodsCoverAny(set, ['delete', 'get'])).toBe(true);
    expect(methodsCoverAny(set, ['get', 'de lete', ''])).toBe(false);
    expect(methodsCoverAny(set, [])).toBe(false);
  });

  it('that says HEAD counts as GET too', () => {
    expect(methodsCoverAny(compileMethods(['GET']), ['head'])).toBe(true);
  });

  it('is worth asking a form for where a rule names PUT, PATCH or DELETE, and only there', () => {
    for (const method of KNOWN) {
      const expected = ['PUT', 'PATCH', 'DELETE'].includes(method);
      expect(namesOverridable(compileMethods([method])), method).toBe(expected);
    }
    expect(namesOverridable(compileMethods(['GET', 'PATCH']))).toBe(true);
    expect(namesOverridable(compileMethods(['PURGE']))).toBe(false);
  });
});
