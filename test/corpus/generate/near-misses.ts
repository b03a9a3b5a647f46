// The controls: names beside the denied ones, in canonical form, that no reading maps to a denied route. Each must reach
// the application, or the gate blocks what nobody denied. Pure; the oracle's own reading of them is tested.
import type { GeneratedRequest } from '../generated-request.ts';
import { plainRequest } from './denied-samples.ts';
import { escapedUtf8, type Made, numbered } from './maker.ts';

/** First segments that rules name, with what may stand behind them. */
const NAMES: readonly (readonly [method: string, name: string, rest: string])[] = [
  ['GET', 'exports', ''],
  ['GET', 'exports', '/customers'],
  ['POST', 'exports', ''],
  ['GET', 'billing', '/invoices/7'],
  ['DELETE', 'billing', ''],
  ['GET', 'reports', '?format=csv'],
  ['DELETE', 'records', '/7'],
];

/** What stands in a name and is no boundary. */
const JOINED = [
  "-x _x ~x x 2 -help .x-y %26a %3Aall %40x !x $x 'x (x) *x ,x =x :x @x +x %2Bx %24x %21x %7Cx %5Bx%5D %C3%A9 %E6%97%A5 .7-8 -.x",
]
  .join(' ')
  .split(' ');

const OUTER = 'my v2 app api a b-c %C3%A9 ~me 7 x.y'.split(' ');

/** Letters that look alike and fold to nothing of ASCII. */
const FOREIGN: Readonly<Record<string, string>> = {
  e: '\u0435',
  o: '\u043e',
  i: '\u0131',
  r: '\u0433',
  s: '\u0455',
  t: '\u0163',
  l: '\u0142',
  c: '\u0441',
};

export function* nearMisses(): Generator<GeneratedRequest> {
  yield* numbered('near-misses', [...paths(), ...queries(), ...methods()]);
}

function* paths(): Generator<Made> {
  for (const [method, name, rest] of NAMES) {
    for (const near of namesNear(name)) yield control(4, method, `/${near}${rest}`);
    for (const joined of JOINED)
      if (!joined.startsWith('.') || rest.startsWith('/'))
        yield control(4, method, `/${name}${joined}${rest}`);
    for (const outer of OUTER) {
      yield control(4, method, `/${outer}/${name}${rest}`);
      yield control(6, method, `/${outer};v=1/${name}${rest}`);
      yield control(4, method, `/${outer}-${name}${rest}`);
    }
    yield control(6, method, `/my/${name};v=1`);
    yield control(4, method, `/my/${name}.json`);
    yield control(4, method, `/my/${name}/`);
  }
}

/** A letter missing, doubled, swapped, another, foreign. */
function* namesNear(name: string): Generator<string> {
  for (let at = 0; at < name.length; at++) {
    const char = name[at] as string;
    const before = name.slice(0, at);
    const after = name.slice(at + 1);
    yield before + after;
    yield before + char + char + after;
    if (after !== '' && after[0] !== char) yield before + after[0] + char + after.slice(1);
    yield `${before}z${after}`;
    yield `${before}-${after}`.replace(/^-/, 'z-');
    yield `${before}-${char}${after}`;
    const foreign = FOREIGN[char];
    if (foreign !== undefined) yield before + escapedUtf8(foreign) + after;
    yield `${before}${char}${escapedUtf8('\u0301')}${after}`;
  }
  yield name.slice(0, -1);
  yield `un${name}`;
  yield `${name}${name}`;
}

function* queries(): Generator<Made> {
  const harmless = [
    'format=pdf format=csvx format=xcsv format=cs format= format format=c%20sv format=csv%26x formats=csv xformat=csv for-mat=csv',
    'format-x=csv x=format=csv x=csv csv=format csv x=1%26format=csv x=a%3Bformat=csv format=xls format=%2563sv format[x]=pdf',
    'next=/exports path=/exports/customers url=http://x.test/exports q=..%2fexports q=%2e%2e/exports q=/x/../exports',
    'x=/../exports return=%2Fexports%2F1 _method=GET x=_method=DELETE method=DELETE x=format%3Dcsv',
  ]
    .join(' ')
    .split(' ');
  for (const query of harmless) {
    yield control(8, 'GET', `/reports?${query}`);
    yield control(8, 'GET', `/me?${query}`);
    yield control(8, 'POST', `/public/x?a=b&${query}&c`);
  }
  for (const path of ['/report', '/reports/x', '/my/reports', '/reports-help', '/me', '/reportsx'])
    for (const query of ['format=csv', 'format=xlsx', 'x=1&format=csv'])
      yield control(8, 'GET', `${path}?${query}`);
}

function* methods(): Generator<Made> {
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    for (const path of ['/api/v1/emails/send', '/api/v1/emails/send/', '/api/v1/emails/send.json'])
      yield control(26, method, path);
  for (const path of [
    '/api/v1/emails',
    '/api/v1/emails/sent',
    '/api/v1/emails/7/send',
    '/api/v2/emails/send',
    '/api/v1/emails/send/7',
  ])
    yield control(26, 'POST', path);
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'OPTIONS'])
    for (const path of ['/records/7', '/records/7/', '/records/7.json', '/records/a%3Ab'])
      yield control(26, method, path);
  for (const path of ['/records', '/records/', '/records/7/notes', '/my/records/7', '/record/7'])
    yield control(26, 'DELETE', path);
}

function control(number: number, method: string, target: string): Made {
  return { class: number, about: 'no denied route', bytes: plainRequest(method, target), mustForward: true };
}
