// Spellings of a denied path, by trick: each takes a path as plainly written and says every way it knows to write it
// otherwise. Pure and exhaustive; `spellings.ts` composes them.
import {
  compatibleOf,
  escapesOf,
  INVISIBLE,
  layersOf,
  overlongOf,
  type SpelledCharacter,
} from './character-tricks.ts';
import { capitals, escapedUtf8, utf8Of } from './maker.ts';

export interface SpelledPath {
  readonly class: number;
  readonly about: string;
  readonly path: string;
}

type Trick = (path: string) => Generator<SpelledPath>;

const DOT_SEGMENTS = ['.', '..', 'x/..', './.', '../..', 'x/../y/..'];
const ENCODED_DOT_SEGMENTS = [
  '%2e',
  '%2E',
  '%2e%2e',
  '%2E%2e',
  '.%2e',
  '%2e.',
  'x/%2e%2e',
  'x/.%2E',
  '%252e',
  '%252e%252e',
  'x/%252e%252e',
  '%c0%ae',
  'x/%c0%ae%c0%ae',
  'x/%e0%80%ae%e0%80%ae',
  '%EF%BC%8E',
  'x/%EF%BC%8E%EF%BC%8E',
  'x/.%EF%BC%8E',
  'x/%E2%80%A5',
  'x/%E2%80%A4%E2%80%A4',
  'x/.%E2%80%8B.',
  'x/..%E2%80%8B',
  'x/.%C2%AD.',
  'x/..%20',
  'x/..%09',
  'x/..%00',
  'x/...',
  'x/.. ',
  'x/%u002e%u002e',
];
const SLASHES = ['%2f', '%2F', '%5c', '%5C', '\\', '%252f', '%255c', '%c0%af', '%c1%9c', '%e0%80%af'];
const MORE_SLASHES = [
  '%EF%BC%8F',
  '%EF%BC%BC',
  '%E2%81%84',
  '%E2%88%95',
  '%E2%A7%B8',
  '%u002f',
  '%u2215',
  '%uff0f',
];
const PARAMETERS = [
  ';',
  ';x',
  ';x=1',
  ';jsessionid=7',
  ';a=b;c=d',
  ';.css',
  ';%2f',
  ';x=/',
  '%3b',
  '%3B',
  '%3bx=1',
  '%253b',
  '%EF%BC%9B',
  '%CD%BE',
  ';a=%2e%2e',
];
const SUFFIXES = [
  'json xml csv xlsx html php jsp aspx do action rsc data txt pdf js css JSON Csv j5 a.b tar.gz bak',
  'abcdefgh abcdefghi averylongformatsuffix a-b a_b a%20b %6ason js%6fn json. json%20 json; json;x=1 %EF%BD%8Ason json/',
  'x+json .json json~ ~ json$ json! json,csv json:v2 json@2x json= json& c%73v %63%73%76 json%00 %E2%80%8Bjson',
]
  .join(' ')
  .split(' ')
  .map((suffix) => `.${suffix}`);
const ENDINGS = [
  '/ // /// . .. ... ./ /. /.. %20 %20%20 %20/ .%20 %20. .%20. %2e %2E %2e%2e %2e/ + %2b / %09 %00 %00.css %00/x %0a %0d',
  '%0d%0a %7f %80 %a0 %c2%a0 %C2%85 %E2%80%80 %E2%80%83 %E3%80%80 %E2%80%A8 %E3%80%82 %EF%BC%8E %EF%BD%A1 %E2%80%A4 %E2%80%A6',
  "::$DATA %3a%3a$DATA :$i30 ~ ~1 * %2a $ %24 ! %21 , %2c = %3d & %26 @ %40 ' %27 ( %28 ) %29 | %7c [ %5b ] %5d",
  '{ %7b } %7d ^ %5e ` %60 " %22 < %3c > %3e /* /*x %3f %3fx %3F/x %23 %23x # #x #/public ? ?? ?x ?/ ?.css ;?x ?; \\ %5c',
]
  .join(' ')
  .split(' ');
const PREFIXES = [
  '/. /.. /./ /../ /%2e /%2e%2e /x/.. /x/../ /x/%2e%2e /x/..%2f.. / // /%2f /%5c /\\ \\ /; /;x=1 /.; /..; /x/..; /x/..;x=1',
  '/%20 /%20/. /%09 /%00 /%E2%80%8B /%EF%BB%BF /%EF%BC%8F /~ /x/..%00 /x/..%3b /%252f /%255c /%2e%2e%2f /..%2f /..\\ /x\\..',
  '/files/.. /files%2f.. /files/..%2f.. /files/..%2f /files/%2e%2e%2f /files/x%2f..%2f.. /files/..%5c /files/..%3b%2f /files/%252e%252e%252f',
  '/files/.%2f..%2f.. /files/x/..%2f.. /files/%3f/.. /files/..%EF%BC%8F /files/%2f /files/..;%2f /files;%2f.. /files/.%E2%80%8B.%2f /files/..%20%2f',
  '/http: /http:/ /file: /index.php/.. /WEB-INF/.. /static.. /static../.. /x%2f.. /x%2f..%2f /x%5c..%5c /x%252f.. /x%23/.. /x%3f/..',
]
  .join(' ')
  .split(' ');

function* dotSegments(path: string): Generator<SpelledPath> {
  for (const [before, after] of splitsAtSlash(path)) {
    for (const dots of DOT_SEGMENTS) yield spelled(1, 'a dot segment', `${before}/${dots}${after}`);
    for (const dots of ENCODED_DOT_SEGMENTS)
      yield spelled(2, 'an encoded dot segment', `${before}/${dots}${after}`);
  }
}

function* slashes(path: string): Generator<SpelledPath> {
  for (const [before, after] of splitsAtSlash(path)) {
    const rest = after.slice(1);
    for (const slash of [...SLASHES, ...MORE_SLASHES]) {
      yield spelled(3, 'another slash', before + slash + rest);
      yield spelled(3, 'another slash behind one', `${before}/${slash}${rest}`);
      yield spelled(3, 'a way back by another slash', `${before}/x${slash}..${slash}${rest}`);
      yield spelled(3, 'a way back by another slash', `${before}/..${slash}${rest}`);
      yield spelled(3, 'a tail behind another slash', path + slash + (rest || 'x'));
    }
    for (const more of ['//', '///', '////', '/%2f/', '/\\/'])
      yield spelled(5, 'merged slashes', before + more + rest);
  }
}

function* parameters(path: string): Generator<SpelledPath> {
  for (const [before, after] of splitsAtSlash(path)) {
    if (before === '') continue;
    for (const parameter of PARAMETERS) yield spelled(6, 'parameters', before + parameter + after);
  }
  for (const parameter of PARAMETERS) {
    yield spelled(6, 'parameters at the end', path + parameter);
    yield spelled(6, 'parameters of a dot segment', `/x/..${parameter}${path}`);
    yield spelled(6, 'parameters of a dot segment', `/.${parameter}${path}`);
    yield spelled(6, 'parameters of no segment', `/${parameter}${path}`);
    yield spelled(6, 'parameters of a dot segment', `${path}/x/..${parameter}`);
  }
}

function* characters(path: string): Generator<SpelledPath> {
  for (let at = 1; at < path.length; at++) yield* charactersAt(path, at);
}

/** Of the one character that stands there. */
export function* charactersAt(path: string, at: number): Generator<SpelledPath> {
  const char = path[at] as string;
  const put = (text: string) => path.slice(0, at) + text + path.slice(at + 1);
  if (char !== '/') for (const one of waysOf(char).flat()) yield spelled(one.class, one.about, put(one.text));
  if (char !== capitals(char)) yield spelled(4, 'the other case', put(capitals(char)));
  for (const invisible of UNSEEN) yield spelled(4, 'an invisible character', put(invisible + char));
}

const UNSEEN = [...INVISIBLE.map(escapedUtf8), utf8Of('\u200b')];
const WAYS = [escapesOf, layersOf, overlongOf, compatibleOf];
const KNOWN = new Map<string, readonly (readonly SpelledCharacter[])[]>();

/** By way. */
function waysOf(char: string): readonly (readonly SpelledCharacter[])[] {
  let ways = KNOWN.get(char);
  if (ways === undefined) {
    ways = WAYS.map((of) => [...of(char)]);
    KNOWN.set(char, ways);
  }
  return ways;
}

/** All letters at once. */
function* whole(path: string): Generator<SpelledPath> {
  yield spelled(4, 'capitals', capitals(path));
  yield spelled(4, 'a capital first', path.replaceAll(/\/(.)/g, capitals));
  for (const way of WAYS.keys()) {
    for (let index = 0; index < 6; index++) {
      const letters = path.replaceAll(/[^/]/g, (char) => waysOf(char)[way]?.[index]?.text ?? char);
      yield spelled(4, 'every letter', letters);
    }
  }
}

function* ends(path: string): Generator<SpelledPath> {
  for (const suffix of SUFFIXES) yield spelled(4, 'a suffix', path + suffix);
  for (const ending of ENDINGS) yield spelled(classOfEnding(ending), 'an ending', path + ending);
  for (const prefix of PREFIXES) yield spelled(1, 'a prefix', prefix + path);
  for (const suffix of SUFFIXES) yield spelled(6, 'a suffix and parameters', `${path}${suffix};x=1`);
  for (const ending of ENDINGS)
    yield spelled(classOfEnding(ending), 'an ending before a slash', `${path}${ending}/`);
}

function classOfEnding(ending: string): number {
  if (ending.includes('#')) return 7;
  return ending.includes('?') ? 8 : 4;
}

/** Before and from each slash of the path. */
function* splitsAtSlash(path: string): Generator<readonly [before: string, after: string]> {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1))
    yield [path.slice(0, at), path.slice(at)];
}

function spelled(number: number, about: string, path: string): SpelledPath {
  return { class: number, about, path };
}

/** All but `charactersAt`. */
export const SHAPE_TRICKS: readonly Trick[] = [dotSegments, slashes, parameters, whole, ends];

export const PATH_TRICKS: readonly Trick[] = [...SHAPE_TRICKS, characters];
