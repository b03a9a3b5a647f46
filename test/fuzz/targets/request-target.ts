// The one reading of a request target (profile STRICT/1). What is accepted is canonical, stable under parsing, means to
// every one of the eleven readings what the bytes that came meant, and is read by none of them in a way that the deny
// rules do not look at; and what the corpus' policy lets pass lands on a denied route in no reading. An input is a
// target, or a method, a space and a target.
import * as fc from 'fast-check';
import { parseTarget } from '#gateway/request-target.ts';
import type { RequestTarget } from '#model/request-target.ts';
import { PASS } from '#model/verdict.ts';
import { foldText } from '#policy/fold.ts';
import { MAX_ALTERNATIVES, readDecoded, Reading, readWide } from '#policy/reading.ts';
import { secondReadings } from '#policy/second-reading.ts';
import { deniedRoutes, leaksOf } from '../../corpus/oracle.ts';
import { READINGS } from '../../corpus/readings.ts';
import { CORPUS_POLICY } from '../../support/corpus-gate.ts';
import { facts, policyFrom } from '../../support/policy-sets.ts';
import { corpusSeeds } from '../corpus-seeds.ts';
import { broken, bytesOf, type FuzzTarget, synchronous } from '../fuzz-target.ts';

const policy = policyFrom(CORPUS_POLICY);
const denied = deniedRoutes(CORPUS_POLICY);
const reading = new Reading();

/** RFC 3986 section 3.3 without what is always sent encoded; escapes in upper case, none for an unreserved byte. */
const CANONICAL = /^\/(?!\/)(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%(?:[2-7][0-9A-F]|[89A-F][0-9A-F]))*$/;
const ENCODED_UNRESERVED = /%(?:2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/;

/** The readings are regular expressions of others, some of them not linear. */
const MAX_LENGTH = 1024;

function run(input: string): string {
  if (input.length > MAX_LENGTH) return 'too long';
  const space = input.indexOf(' ');
  const method = space < 0 ? 'GET' : input.slice(0, space);
  const raw = input.slice(space + 1);
  const target = parseTarget(raw);
  if ('reason' in target) return `refused: ${target.note ?? ''}`;
  checkForm(raw, target);
  const sent = target.hasQuery ? `${target.path}?${target.query}` : target.path;
  checkMeaning(raw, sent, target);
  const isRead = checkReadings(sent, target);
  const asked = facts(target.path, { method, target });
  const verdict = policy.evaluate(asked, { shadowRules: [], wantsBody: false });
  if (verdict !== PASS) return `denied: ${verdict.rule?.id ?? verdict.reason}`;
  if (!/^[A-Z]+$/.test(method)) return 'no method';
  const [leak] = leaksOf({ method, target: sent, headers: [], body: '' }, denied);
  if (leak !== undefined) broken(`lands on no denied route (${leak.reading})`, { raw, ...leak });
  return `passed ${isRead} ${target.encodedSlash} ${target.encodedPercent}`;
}

function checkForm(raw: string, { path, query, hasQuery }: RequestTarget): void {
  if (!CANONICAL.test(path) || /\/\/|\/\.{1,2}(?:\/|$)/.test(path)) broken('is canonical', { raw, path });
  if (ENCODED_UNRESERVED.test(path)) broken('leaves nothing unreserved encoded', { raw, path });
  const mark = raw.indexOf('?');
  if (hasQuery !== mark >= 0 || query !== (mark < 0 ? '' : raw.slice(mark + 1)))
    broken('keeps the query', { raw, query });
  const again = parseTarget(path);
  if ('reason' in again || again.path !== path) broken('is stable under parsing', { raw, path, again });
}

/** But for slashes in a row, which are merged: an application behind the gate gets the meaning that the client sent. */
function checkMeaning(raw: string, sent: string, { encodedSlash, encodedPercent }: RequestTarget): void {
  if (encodedSlash || encodedPercent) return;
  for (const { name, read } of READINGS) {
    const [before, after] = [read(raw), read(sent)];
    if (merged(before) !== merged(after)) broken(`means the same (${name})`, { raw, sent, before, after });
  }
}

function merged(path: string | null): string | null {
  return path === null ? null : path.replaceAll(/\/+/g, '/');
}

/** The deny rules' own view of the path holds what each server makes of it, segment for segment. */
function checkReadings(sent: string, { path, encodedSlash, encodedPercent }: RequestTarget): string {
  const isFurther = encodedSlash || encodedPercent;
  const further = isFurther ? secondReadings(path) : [];
  if (further === null) return 'refused by its further readings';
  for (const { name, read } of READINGS) {
    const seen = read(sent);
    if (seen === null) continue;
    const segments = seen
      .split('/')
      .map((segment) => trimmed(foldText(segment)))
      .filter((segment) => segment !== '');
    if (!readWide(path, reading)) broken('decodes', { sent });
    if (covers(segments)) continue;
    const isSeen = further.some((one) => {
      readDecoded(one.segments, reading);
      return covers(segments);
    });
    if (!isSeen) broken(`is looked at as it is read (${name})`, { sent, seen });
  }
  return isFurther ? 'opened' : 'plain';
}

/** What is folded may end in a dot once more; the deny rules have it both ways. */
function trimmed(segment: string): string {
  return segment.replace(/[. ]+$/, '');
}

/** Place by place, which of the segments may stand there: many places may be passed over. */
function covers(segments: readonly string[]): boolean {
  let open = new Set([0]);
  for (let place = 0; place < reading.length; place++) {
    const next = new Set(reading.skippable[place] === true ? open : []);
    const base = place * MAX_ALTERNATIVES;
    const texts = reading.alternatives.slice(base, base + (reading.counts[place] ?? 0));
    for (const at of open) {
      const segment = segments[at] ?? '';
      // A `;` that was encoded behind one that was not: only a rule that names a `;` could tell.
      if (texts.some((text) => trimmed(text) === segment || text.split(';')[0] === segment.split(';')[0]))
        next.add(at + 1);
    }
    open = next;
  }
  return open.has(segments.length);
}

const WORDS = [
  'exports',
  'api',
  'v1',
  'emails',
  'send',
  'billing',
  'reports',
  'records',
  'files',
  'a',
  'me',
  '..',
  '.',
  '',
];
const TRICKS = [
  '%2e',
  '%2f',
  '%5c',
  '%25',
  '%3b',
  '%23',
  '%00',
  '%0a',
  '%c0%ae',
  '%e2%80%8b',
  '%ef%bc%8e',
  ';x',
  ';',
  '.json',
  '.',
  '%20',
  '//',
  '\\',
  '|',
  '%2e%2e',
  '%252e',
  '%25%32%66',
  '%E2%81%84',
  '%EF%BC%8F',
  '%C2%AD',
  '%CC%81',
  '?format=csv',
  '&format[]=xlsx',
  '?_method=DELETE',
  '..;',
  '%3f',
  '::$DATA',
];

const word = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...WORDS) },
  fc.string({ maxLength: 6, unit: 'binary' }).map(encodeAll),
  fc.string({ maxLength: 5 }),
);
const spelled = fc
  .tuple(word, fc.array(fc.constantFrom(...TRICKS), { maxLength: 2 }), fc.nat())
  .map(([text, tricks, where]) => {
    const at = where % (text.length + 1);
    return text.slice(0, at) + tricks.join('') + text.slice(at);
  });

function encodeAll(text: string): string {
  return [...Buffer.from(text, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

export const target: FuzzTarget = {
  name: 'request-target',
  dictionary: [
    ...WORDS.map((text) => `/${text}`),
    ...TRICKS,
    'POST ',
    'DELETE ',
    '/exports/1',
    '/reports?format=csv',
  ].map(bytesOf),
  fresh: fc
    .tuple(fc.constantFrom('', '', 'POST ', 'DELETE ', 'QUERY '), fc.array(spelled, { maxLength: 5 }))
    .map(([method, parts]) => bytesOf(`${method}/${parts.join('/')}`)),
  seeds: () => corpusSeeds(({ method, target: text }) => `${method} ${text}`),
  batch: 2000,
  open: synchronous(run, 100),
};
