// Class 4: each denied route with letters percent-encoded or in the other case; and, as controls, names near a denied
// one with the same letters encoded, which no reading maps to it. Pure.
import type { GeneratedRequest } from '../generated-request.ts';
import { DENIED_SAMPLES, plainRequest } from './denied-samples.ts';

export function* encodedLetters(): Generator<GeneratedRequest> {
  let number = 0;
  const made = (about: string, bytes: string, mustForward = false): GeneratedRequest => ({
    id: `encoded-letters-${++number}`,
    class: 4,
    about,
    bytes,
    mostRequests: 1,
    ...(mustForward ? { mustForward } : {}),
  });
  for (const { rule, method, path, query } of DENIED_SAMPLES) {
    for (const spelt of spellings(path))
      yield made(`${rule} with a letter encoded`, plainRequest(method, spelt + query));
  }
  for (const path of ['/my/exports', '/exportsx', '/export', '/billings', '/reports-help', '/records']) {
    for (const spelt of spellings(path)) yield made('no denied route', plainRequest('GET', spelt), true);
  }
}

/** One letter or two neighbours encoded, with upper and lower hexadecimal digits, and one letter in the other case. */
function* spellings(path: string): Generator<string> {
  for (let at = 1; at < path.length; at++) {
    if (path[at] === '/') continue;
    const before = path.slice(0, at);
    const after = path.slice(at + 1);
    const hex = path.charCodeAt(at).toString(16);
    yield `${before}%${hex}${after}`;
    if (hex !== hex.toUpperCase()) yield `${before}%${hex.toUpperCase()}${after}`;
    if (path[at] !== path[at]?.toUpperCase()) yield before + path[at]?.toUpperCase() + after;
    const next = path[at + 1];
    if (next !== undefined && next !== '/')
      yield `${before}%${hex}%${next.charCodeAt(0).toString(16)}${path.slice(at + 2)}`;
  }
}
