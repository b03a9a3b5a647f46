// Whether a refusal is shown as a page: to a person whose browser goes to an address, and to nobody else, since a program
// wants problem details. Not hot: only refusals ask.
import type { Exchange } from './exchange.ts';

/** A navigation (W3C Fetch Metadata, where the browser sends it) that prefers HTML over JSON. */
export function wantsPage(x: Exchange): boolean {
  if (x.method !== 'GET' && x.method !== 'POST') return false;
  if (!prefersHtml(x.head.accept)) return false;
  const modes = x.headerValues('sec-fetch-mode');
  return modes.length === 0 || (modes.length === 1 && modes[0] === 'navigate');
}

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/problem+json']);

/** RFC 9110 section 12.5.1. HTML has to be named: a program that takes anything is no person. */
export function prefersHtml(accept: string): boolean {
  let html = 0;
  let json = 0;
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';');
    const name = type.trim().toLowerCase();
    if (name === 'text/html') html = Math.max(html, qualityOf(parameters));
    else if (JSON_TYPES.has(name)) json = Math.max(json, qualityOf(parameters));
  }
  return html > 0 && html >= json;
}

/** 1 where it is not said; what is no number counts as nothing. */
function qualityOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim().toLowerCase() !== 'q') continue;
    const quality = Number(value.trim());
    return quality >= 0 && quality <= 1 ? quality : 0;
  }
  return 1;
}
