// The denied query of the reports route (`format=csv`, `format=xlsx`) under every spelling of its name, its value and
// what stands around them; the path stays as it is. Class 8, with the tricks of class 4. Pure.
import type { GeneratedRequest } from '../generated-request.ts';
import { compatibleOf, escapesOf, INVISIBLE, layersOf, overlongOf } from './character-tricks.ts';
import { plainRequest } from './denied-samples.ts';
import { escapedUtf8, type Made, numbered } from './maker.ts';

const NAME_SHAPES = [
  'NAME NAME[] NAME[0] NAME[17] NAME[][] NAME[0][1] a[NAME] a[b][NAME] a[0][NAME] NAME%5B%5D NAME%5b0%5d a%5BNAME%5D NAME[x]',
  '+NAME %20NAME ++NAME %09NAME .NAME NAME. NAME+ NAME%20 a.NAME NAME[ [NAME] [NAME NAME] :NAME *NAME $NAME NAME%00 NAME%00x',
  'NAME%0a %00NAME NAME\' "NAME" %22NAME%22 a-NAME a:NAME ?NAME /NAME #NAME NAME%5B NAME%5D amp;NAME amp%3BNAME',
]
  .join(' ')
  .split(' ');

const VALUE_SHAPES = [
  'VALUE +VALUE VALUE+ %20VALUE VALUE%20 VALUE%00 %00VALUE VALUE%0a VALUE%0d%0a VALUE. VALUE/ VALUE; VALUE%3B VALUE, VALUE,pdf',
  'pdf,VALUE "VALUE" %22VALUE%22 \'VALUE\' =VALUE %3DVALUE VALUE= VALUE%26 VALUE# VALUE%23 VALUE? VALUE;x=1 VALUE%3Bx VALUE|pdf',
  '[VALUE] ["VALUE"] VALUE%EF%BB%BF %EF%BB%BFVALUE .VALUE *VALUE VALUE* VALUE%C2%A0 VALUE%E3%80%80',
]
  .join(' ')
  .split(' ');

const AROUND = [
  'PAIR',
  'x=1&PAIR',
  'PAIR&x=1',
  '&PAIR',
  '&&PAIR&&',
  'x=1;PAIR',
  ';PAIR',
  'PAIR;x',
  'x;PAIR&y',
  'format=pdf&PAIR',
  'PAIR&format=pdf',
  'format=pdf;PAIR',
  'PAIR&PAIR',
  'format&PAIR',
  'format=&PAIR',
  '?PAIR',
  'x=%26&PAIR',
  'x=%zz&PAIR',
  '%zz=1&PAIR',
  'x=a%00&PAIR',
  'x=1&amp;PAIR',
  'x=1%26PAIR',
  'x=1%3BPAIR',
  'x=1|PAIR',
  'x=1,PAIR',
  'x#PAIR',
  'PAIR#',
];

export function* querySpellings(): Generator<GeneratedRequest> {
  yield* numbered('query-spellings', all());
}

function* all(): Generator<Made> {
  for (const value of ['csv', 'xlsx']) {
    for (const name of spelt('format')) yield made('a name', 'GET', `/reports?${name}=${value}`);
    for (const one of spelt(value)) yield made('a value', 'GET', `/reports?format=${one}`);
    for (const nameShape of NAME_SHAPES) {
      for (const valueShape of VALUE_SHAPES) {
        const pair = `${nameShape.replace('NAME', 'format')}=${valueShape.replace('VALUE', value)}`;
        for (const around of nameShape === 'NAME' || valueShape === 'VALUE' ? AROUND : ['PAIR'])
          yield made('name and value', 'GET', `/reports?${around.replaceAll('PAIR', pair)}`);
      }
    }
    for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
      for (const around of AROUND)
        yield made('another method', method, `/reports?${around.replaceAll('PAIR', `format=${value}`)}`);
    for (const path of [
      '/Reports',
      '/reports/',
      '/reports.json',
      '/reports;x',
      '/%72eports',
      '/reports%20',
      '/reports.',
    ])
      for (const around of AROUND)
        yield made('another path', 'GET', `${path}?${around.replaceAll('PAIR', `format=${value}`)}`);
  }
}

/** One character of the word after the other, in every way. */
function* spelt(word: string): Generator<string> {
  for (let at = 0; at < word.length; at++) {
    const char = word[at] as string;
    const put = (text: string) => word.slice(0, at) + text + word.slice(at + 1);
    yield put(char.toUpperCase());
    for (const ways of [escapesOf, layersOf, overlongOf, compatibleOf])
      for (const { text } of ways(char)) yield put(text);
    for (const invisible of INVISIBLE) yield put(escapedUtf8(invisible) + char);
  }
  yield word.toUpperCase();
}

function made(what: string, method: string, target: string): Made {
  return { class: 8, about: `${what} of a denied query`, bytes: plainRequest(method, target) };
}
