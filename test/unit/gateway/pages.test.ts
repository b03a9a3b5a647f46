// The gate's own pages: who gets one, and that nothing in them is markup but what the gate wrote.
import { describe, expect, it } from 'vitest';
import { REASONS } from '#model/reason.ts';
import { problemOf } from '#model/problem.ts';
import { html, page } from '../../../src/gateway/pages/page-frame.ts';
import { hintFor } from '../../../src/gateway/pages/refusal-hints.ts';
import { refusalPage } from '../../../src/gateway/pages/refusal-page.ts';
import { prefersHtml, wantsPage } from '../../../src/gateway/wants-page.ts';
import type { Exchange } from '../../../src/gateway/exchange.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe('whether HTML is preferred', () => {
  it.each([
    BROWSER,
    'text/html',
    'TEXT/HTML;q=0.5',
    'application/json;q=0.1, text/html;q=0.2',
    'text/html, application/json',
  ])('yes: %s', (accept) => {
    expect(prefersHtml(accept)).toBe(true);
  });

  it.each([
    '',
    '*/*',
    'text/*',
    'application/json',
    'application/json, text/html;q=0.9',
    'text/html;q=0',
    'text/html;q=x',
    'text/htmlx',
  ])('no: %s', (accept) => {
    expect(prefersHtml(accept)).toBe(false);
  });
});

function asked(method: string, modes: readonly string[], accept = BROWSER): boolean {
  return wantsPage({ method, head: { accept }, headerValues: () => modes } as unknown as Exchange);
}

describe('whether a refusal is a page', () => {
  it('is so for somebody who goes to an address, and for nobody else', () => {
    expect(asked('GET', ['navigate'])).toBe(true);
    expect(asked('POST', ['navigate'])).toBe(true);
    // Browsers without the metadata.
    expect(asked('GET', [])).toBe(true);
    for (const mode of ['cors', 'no-cors', 'same-origin', 'websocket'])
      expect(asked('GET', [mode])).toBe(false);
    expect(asked('GET', ['navigate', 'cors'])).toBe(false);
    for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS'])
      expect(asked(method, ['navigate'])).toBe(false);
    expect(asked('GET', ['navigate'], 'application/json')).toBe(false);
  });
});

describe('a page', () => {
  it('escapes whatever is put in, once', () => {
    const inner = html`<b>${`<script>"'&`}</b>`;
    expect(inner.text).toBe('<b>&lt;script&gt;&quot;&#39;&amp;</b>');
    expect(page('<t>', html`${inner}`)).toContain('<b>&lt;script&gt;&quot;&#39;&amp;</b>');
    expect(page('<t>', inner)).toContain('<title>&lt;t&gt;</title>');
  });

  it('holds no script, and nothing from elsewhere', () => {
    const rule = { id: 'r<1>', category: '"c"', message: '<img src=x onerror=alert(1)>' };
    const problem = problemOf('rule_denied', 'id-1', rule, '<script>alert(1)</script>');
    const text = refusalPage(problem, { base: '', inSession: true });
    expect(text).not.toMatch(/<script|<img|<link|https?:|javascript:/);
    expect(text).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(text).toContain('<a href="/-/postern/leave">');
    expect(refusalPage(problem, { base: '/t/acme', inSession: false })).not.toContain('leave');
  });

  it('says what to do about every refusal that a person can do something about', () => {
    const own = Object.entries(REASONS).filter(([, { status }]) => status === 403);
    const without = own.map(([reason]) => reason).filter((reason) => hintFor(reason as 'locked') === null);
    // An identity provider's, or an operator's, to change.
    expect(without).toEqual(['groups_overage', 'not_support_principal']);
  });
});
