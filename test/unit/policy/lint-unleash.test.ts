// The measure of issue 3: on Unleash's OpenAPI document, with general policies only, the lint denies or ranks every
// sensitive operation above every harmless one. Labels were written by hand before any score was computed.
import { describe, expect, it } from 'vitest';
import { PASS } from '#model/verdict.ts';
import { judgeRequest, NO_HEADERS, UNKNOWN_SUBJECT } from '#policy/judge.ts';
import { DEFAULT_MIN_SCORE } from '#policy/lint/suspicion.ts';
import { lintOperations } from '#policy/lint/lint-policy.ts';
import { targetsOf } from '#policy/openapi-requests.ts';
import {
  helpDeskOperations,
  measure,
  operationsOfLabels,
  readLabels,
  unleashOperations,
} from '../../support/lint-measurement.ts';
import { lintSubject, policyText } from '../../support/lint-subject.ts';

const unleash = unleashOperations();
const labels = readLabels('unleash');

describe('the labelled table of Unleash', () => {
  it('names every operation of the document, and no other', () => {
    const keys = unleash.map(({ method, path }) => `${method} ${path}`);
    expect(keys).toHaveLength(211);
    expect(keys.toSorted()).toEqual([...labels.keys()].toSorted());
  });
});

describe('the lint finds what is sensitive', () => {
  it.each(['general', 'none'] as const)('in Unleash with the policy set "%s"', async (choice) => {
    const figures = await measure(unleash, labels, choice, DEFAULT_MIN_SCORE);
    expect(figures.sensitive).toBe(36);
    expect(figures.missed).toEqual([]);
    expect(figures.recall).toBeGreaterThanOrEqual(0.95);
    expect(figures.inversions).toEqual([]);
  });

  it('in Unleash with few false alarms when nothing is denied', async () => {
    const { precision } = await measure(unleash, labels, 'none', DEFAULT_MIN_SCORE);
    expect(precision).toBeGreaterThanOrEqual(0.9);
  });

  it('in a help desk, which it was not made for', async () => {
    const figures = await measure(helpDeskOperations(), readLabels('help-desk'), 'none', DEFAULT_MIN_SCORE);
    expect(figures.recall).toBeGreaterThanOrEqual(0.95);
    expect(figures.precision).toBeGreaterThanOrEqual(0.95);
    expect(figures.inversions).toEqual([]);
  });

  it('in a team chat by names alone, which was held back while the vocabulary was written', async () => {
    const operations = operationsOfLabels('team-chat');
    const figures = await measure(operations, readLabels('team-chat'), 'none', DEFAULT_MIN_SCORE);
    expect(figures.recall).toBeGreaterThanOrEqual(0.85);
    expect(figures.precision).toBeGreaterThanOrEqual(0.95);
  });
});

describe('every suggested rule', () => {
  const subject = lintSubject(policyText('{ id: x, category: export, match: [{ paths: ["/none"] }] }'));

  it.each([
    ['Unleash', unleash],
    ['the help desk', helpDeskOperations()],
  ])('for %s compiles and denies the operation it was made for', (_name, operations) => {
    const { suspects } = lintOperations(subject, { operations, host: '' });
    const suspicious = suspects.filter(({ score }) => score >= DEFAULT_MIN_SCORE);
    const blocks = suspicious.map(({ rule }) => rule?.yaml ?? '');
    const closed = lintSubject(`${policyText().trimEnd()}\n${blocks.join('\n')}\n`);
    expect(closed.policy.ruleCount).toBe(suspicious.length);
    for (const { decision, rule } of suspicious) {
      for (const rawTarget of targetsOf(decision.operation)) {
        const { method } = decision.operation;
        const request = { method, rawTarget, host: '', headers: NO_HEADERS, body: null, upgrade: false };
        const deps = { policy: closed.policy, parseTarget: closed.parseTarget, now: 0 as never };
        const { verdict } = judgeRequest(deps, UNKNOWN_SUBJECT, request);
        expect(verdict === PASS ? 'allowed' : verdict.rule?.category).toBe(rule?.category);
      }
    }
  });

  it('shows up as closed when the lint is asked again', () => {
    const operations = unleash;
    const { suspects } = lintOperations(subject, { operations, host: '' });
    const blocks = suspects.map(({ rule }) => rule?.yaml ?? '');
    const again = lintOperations(lintSubject(`${policyText().trimEnd()}\n${blocks.join('\n')}\n`), {
      operations,
      host: '',
    });
    expect(again.suspects).toEqual([]);
  });
});
