import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldedNamesOf, foldName, QueryView } from '#policy/query.ts';

function view(text: string, ...names: readonly string[]): QueryView {
  const query = new QueryView(names);
  query.reset(text);
  return query;
}

/** Whether a name that cannot be read may be `_method`. */
function suspicious(text: string): boolean {
  const query = view(text);
  query.valuesOf('_method');
  return query.unreadableOverride;
}

function values(text: string, name = 'format'): readonly string[] {
  return [...view(text, name).valuesOf(name)].toSorted();
}

describe('the widest reading of a query', () => {
  it('folds names and values after decoding them once', () => {
    expect(values('FORMAT=CSV')).toEqual(['csv']);
    expect(values('%66ormat=%63sv')).toEqual(['csv']);
    expect(values('format=%2563sv')).toEqual(['%63sv']);
    expect(values('%EF%BD%86ormat=c%E2%80%8Bsv')).toEqual(['csv']);
    expect(values('format=a+b%20c')).toEqual(['a b c']);
  });

  it('splits on both separators before decoding', () => {
    expect(values('format=pdf;format=csv')).toEqual(['csv', 'pdf']);
    expect(values('&&;format=csv&')).toEqual(['csv']);
    expect(values('format=csv%26x')).toEqual(['csv&x']);
    expect(values('x=1%26format=csv')).toEqual([]);
    expect(values('format=a=b')).toEqual(['a=b']);
  });

  it('takes leading spaces and indexes off names, and reads nested names by their last part too', () => {
    for (const name of [
      '+format',
      '%20%20format',
      'format[]',
      'format[0]',
      'format%5B12%5D',
      'format[][0]',
    ]) {
      expect(values(`${name}=csv`), name).toEqual(['csv']);
    }
    expect(values('a[format]=csv')).toEqual(['csv']);
    expect(values('a[b][format][]=csv')).toEqual(['csv']);
    expect(values('a[format]=csv', 'a[format]')).toEqual(['csv']);
  });

  it('does not take off what an application would not', () => {
    for (const name of ['format.', 'format+', 'format[x]', 'formats', 'format[-1]', '[format', 'format]']) {
      expect(values(`${name}=csv`), name).toEqual([]);
    }
    for (const name of [
      'format[/]',
      'format[:]',
      'format[0x',
      'format[',
      'format0]',
      'a[formatx',
      'a]format',
    ]) {
      expect(values(`${name}=csv`), name).toEqual([]);
    }
    expect(values('format[9]=csv')).toEqual(['csv']);
    expect(values('format[10][29]=csv')).toEqual(['csv']);
  });

  it('knows presence without a value', () => {
    expect(values('format')).toEqual(['']);
    expect(values('format=')).toEqual(['']);
    expect(values('')).toEqual([]);
  });

  it('takes nothing from empty pairs, and the first pair after a separator like any other', () => {
    expect(values('&format=csv')).toEqual(['csv']);
    expect(values(';format=csv')).toEqual(['csv']);
    expect(values('a&&;b&', '')).toEqual([]);
    expect(values('=x', '')).toEqual(['x']);
  });

  it('brings the key of a rule to the form of a name', () => {
    expect(foldName('Format[]')).toBe('format');
    expect(foldName('  ＦＯＲＭＡＴ[0][12]')).toBe('format');
    expect(foldName('a[format]')).toBe('a[format]');
    expect(foldName('[0]')).toBe('');
    expect(foldName('   ')).toBe('');
    expect(foldName(']')).toBe(']');
    expect(foldName('0]')).toBe('0]');
  });

  it('names a pair as a rule would: whole, and by its last part in brackets', () => {
    expect(foldedNamesOf('FORMAT%5B%5D')).toEqual(['format']);
    expect(foldedNamesOf('+A[B][Format]')).toEqual(['a[b][format]', 'format']);
    expect(foldedNamesOf('a.b[c.d]')).toEqual(['a.b[c.d]', 'c.d', 'a_b']);
    expect(foldedNamesOf('a[b]c.d')).toEqual(['a[b]c.d']);
    expect(foldedNamesOf('a]b.c[d')).toEqual(['a]b.c[d', 'a]b_c_d']);
    expect(foldedNamesOf('a]b.c')).toEqual(['a]b.c', 'a]b_c']);
    expect(foldedNamesOf('a.b+c[d')).toEqual(['a.b c[d', 'a_b_c_d']);
    expect(foldedNamesOf('[a.b]')).toEqual(['[a.b]', 'a.b']);
    for (const [name, read] of [
      ['x+y', 'x y'],
      ['x[y', 'x[y'],
      ['x.y', 'x.y'],
    ])
      expect(foldedNamesOf(String(name))).toEqual([read, 'x_y']);
    for (const unreadable of ['%', 'a%zz', 'a%00', '%ff']) expect(foldedNamesOf(unreadable)).toBeNull();
  });

  it('is empty until it is given a query', () => {
    const query = new QueryView(['format']);
    expect(query.isEmpty()).toBe(true);
    expect([query.unreadableName, query.unreadableOverride]).toEqual([false, false]);
    expect(query.valuesOf('format').size).toBe(0);
    query.reset('a');
    expect(query.isEmpty()).toBe(false);
    query.reset('');
    expect(query.isEmpty()).toBe(true);
  });

  it('is parsed once, however often it is asked', () => {
    const query = view('format=csv', 'format');
    expect(query.valuesOf('format')).toBe(query.valuesOf('format'));
    expect(query.isUnreadable('format')).toBe(false);
    expect(query.valuesOf('format').has('csv')).toBe(true);
  });

  it('tells what it has to read and cannot', () => {
    for (const text of ['format%00=csv', '%=1', 'a%zz=1', '%C1%A6ormat=csv', '%ff=1']) {
      const query = view(text, 'format');
      expect(query.valuesOf('format').size, text).toBe(0);
      expect(query.unreadableName, text).toBe(true);
    }
    for (const text of ['format=%00', 'format=%', 'format=csv%zz', 'format=%ff']) {
      const query = view(text, 'format');
      expect(query.isUnreadable('format'), text).toBe(true);
      expect(query.unreadableName, text).toBe(false);
    }
    expect(view('q=100%', 'format').isUnreadable('q')).toBe(false);
  });

  it('tells an unreadable name apart that may stand for the method', () => {
    for (const text of ['_method%00=DELETE', '%5Fmethod%=x', '%00_m%65thod=x']) {
      const query = view(text);
      expect(query.valuesOf('_method').size, text).toBe(0);
      expect(query.unreadableOverride, text).toBe(true);
    }
    const innocent = view('caf%E9=1');
    innocent.valuesOf('_method');
    expect(innocent.unreadableOverride).toBe(false);
  });

  it('takes out of an unreadable name only what an application may drop: octets that are no visible ASCII', () => {
    for (const octet of ['00', '1f', '20', '7F', '80', 'fF']) {
      expect(suspicious(`_me%${octet}thod%ff=DELETE`), octet).toBe(true);
    }
    for (const octet of ['21', '2d', '7E']) {
      expect(suspicious(`_me%${octet}thod%ff=DELETE`), octet).toBe(false);
    }
  });

  it('forgets the request before', () => {
    const query = view('format=csv&%=1', 'format');
    expect(query.valuesOf('format').size).toBe(1);
    query.reset('x=1');
    expect(query.valuesOf('format').size).toBe(0);
    expect(query.unreadableName).toBe(false);
    query.reset('_method%=1&format=%zz');
    expect(query.isUnreadable('format')).toBe(true);
    expect(query.unreadableOverride).toBe(true);
    query.reset('format=csv');
    expect(query.isUnreadable('format')).toBe(false);
    expect(query.unreadableOverride).toBe(false);
  });

  it('never throws and never pollutes, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 60 }), (text) => {
        view(`${text}&__proto__[polluted]=1&constructor=1`, 'format', '__proto__').valuesOf('format');
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});
