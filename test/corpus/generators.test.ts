// What the generators promise: so many distinct requests, of the classes that they are for, the same for the same seed;
// and controls that are controls, since the oracle itself maps none of them to a denied route.
import { describe, expect, it } from 'vitest';
import { CORPUS_POLICY } from '../support/corpus-gate.ts';
import { parseRequest } from '../support/recording-upstream.ts';
import { framings } from './generate/framings.ts';
import { headerEvidence } from './generate/header-evidence.ts';
import { messages } from './generate/messages.ts';
import { methodSpellings } from './generate/method-spellings.ts';
import { nearMisses } from './generate/near-misses.ts';
import { querySpellings } from './generate/query-spellings.ts';
import { spellings } from './generate/spellings.ts';
import type { GeneratedRequest, RequestGenerator } from './generated-request.ts';
import { deniedRoutes, leaksOf } from './oracle.ts';

const SPELLINGS = [spellings, querySpellings, headerEvidence, methodSpellings].flatMap(madeBy);
const FRAMINGS = madeBy(framings);
const MESSAGES = madeBy(messages);
const DENIED = deniedRoutes(CORPUS_POLICY);

function madeBy(generate: RequestGenerator): readonly GeneratedRequest[] {
  return Array.from(generate(1));
}

function distinct(requests: readonly GeneratedRequest[]): number {
  return new Set(requests.map(({ bytes }) => bytes)).size;
}

function classesOf(requests: readonly GeneratedRequest[]): readonly number[] {
  return [...new Set(requests.map(({ class: number }) => number))].toSorted((a, b) => a - b);
}

describe('the generators of spellings', () => {
  it('write the denied routes in more than 25,000 ways, of every class that is about spelling', () => {
    expect(distinct(SPELLINGS)).toBeGreaterThan(25_000);
    expect(classesOf(SPELLINGS)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22, 26]);
  });

  it('compose tricks by the seed', () => {
    const [one, other] = [1, 2].map((seed) => new Set(Array.from(spellings(seed), ({ bytes }) => bytes)));
    expect(other?.size).toBeGreaterThan(25_000);
    expect([...(other ?? [])].filter((bytes) => !one?.has(bytes)).length).toBeGreaterThan(10_000);
  });

  it('keep each byte a byte', () => {
    for (const { bytes } of [...SPELLINGS, ...FRAMINGS, ...MESSAGES])
      if (/[^\0-\xff]/.test(bytes)) expect.fail(JSON.stringify(bytes));
  });
});

describe('the generators of framings', () => {
  it('write Transfer-Encoding and Content-Length in more than 1,500 ways', () => {
    const lines = new Set(
      FRAMINGS.map(({ bytes }) => bytes.slice(bytes.indexOf('<HEAD>'), bytes.indexOf('GET /exports'))),
    );
    expect(lines.size).toBeGreaterThan(1500);
    expect(distinct(MESSAGES)).toBeGreaterThan(10_000);
    expect(classesOf([...FRAMINGS, ...MESSAGES])).toEqual([17, 18, 19, 20]);
  });
});

describe('the controls', () => {
  const controls = [...madeBy(nearMisses), ...SPELLINGS, ...FRAMINGS, ...MESSAGES].filter(
    ({ mustForward }) => mustForward,
  );

  it('are no denied routes to any reading', () => {
    expect(controls.length).toBeGreaterThan(1500);
    for (const { id, bytes } of controls) {
      const request = parseRequest(`${bytes.slice(0, bytes.indexOf('\r\n'))}\r\n\r\n`)?.request;
      if (request === undefined) throw new Error(`${id} is no request`);
      expect([id, ...leaksOf(request, DENIED)]).toEqual([id]);
    }
  });
});
