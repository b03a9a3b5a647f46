import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QueryView } from '#policy/query.ts';

function view(text: string, ...names: readonly string[]): QueryView {
  const query = new QueryView(names);
  query.reset(text);
  return query;
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
  });

  it('knows presence without a value', () => {
    expect(values('format')).toEqual(['']);
    expect(values('format=')).toEqual(['']);
    expect(values('')).toEqual([]);
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

  it('forgets the request before', () => {
    const query = view('format=csv&%=1', 'format');
    expect(query.valuesOf('format').size).toBe(1);
    query.reset('x=1');
    expect(query.valuesOf('format').size).toBe(0);
    expect(query.unreadableName).toBe(false);
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
