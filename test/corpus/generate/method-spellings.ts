// Class 26: the denied routes under every method, known or not, in every case, and under methods that a framework takes
// from the query or a form. The rules that name a method must hold for each of these; the others for every method. Pure.
import type { GeneratedRequest } from '../generated-request.ts';
import { DENIED_SAMPLES, plainRequest } from './denied-samples.ts';
import { type Made, numbered } from './maker.ts';

const METHODS = [
  'GET HEAD POST PUT PATCH DELETE OPTIONS QUERY TRACE CONNECT PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH PURGE',
  'LINK UNLINK VIEW DEBUG TRACK BREW M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE MERGE CHECKOUT BIND REBIND ACL SOURCE MKACTIVITY',
  'get Get gET head post delete Delete PATCHX GETX XGET G GE PRI X-GET GET/ GET: GET; GET\\x00 POST\\t _GET GET_',
]
  .join(' ')
  .split(' ')
  .map((method) => method.replace('\\x00', '\0').replace('\\t', '\t'));

const OVERRIDE_NAMES = [
  '_method _METHOD _Method %5fmethod %5Fmethod _%6dethod _m%65thod _method[] _method[0] a[_method] +_method %20_method .method',
  '+method [method %EF%BC%BFmethod _m%E2%80%8Bethod _met%C2%ADhod _%EF%BD%8Dethod _method%00 _method%20 _method. %2emethod %5bmethod',
  '__method _method_ X-HTTP-Method-Override x-http-method-override method',
]
  .join(' ')
  .split(' ');

const OVERRIDE_VALUES =
  'DELETE delete Delete %44ELETE DEL%45TE +DELETE DELETE+ %20DELETE DELETE%20 DELETE%00 DELETE, POST post GET HEAD %EF%BC%A4ELETE D%E2%80%8BELETE %2544ELETE'.split(
    ' ',
  );

const FORM = 'Content-Type: application/x-www-form-urlencoded';

export function* methodSpellings(): Generator<GeneratedRequest> {
  yield* numbered('method-spellings', [...methods(), ...overrides()]);
}

function* methods(): Generator<Made> {
  for (const { rule, path, query } of DENIED_SAMPLES)
    for (const method of METHODS)
      yield { class: 26, about: `${rule} by ${method}`, bytes: plainRequest(method, path + query) };
}

function* overrides(): Generator<Made> {
  for (const name of OVERRIDE_NAMES) {
    for (const value of OVERRIDE_VALUES) {
      for (const [method, path] of [
        ['POST', '/records/7'],
        ['GET', '/records/7'],
        ['GET', '/api/v1/emails/send'],
        ['PUT', '/Records/7.json'],
      ] as const) {
        const about = `${method} ${path} with ${name}`;
        for (const query of [`${name}=${value}`, `x=1;${name}=${value}&y`])
          yield { class: 26, about, bytes: plainRequest(method, `${path}?${query}`) };
      }
      const pair = `${name}=${value}`;
      yield form(pair);
      yield form(`x=1&${pair}`);
    }
  }
}

function form(body: string): Made {
  const head = `POST /records/7 HTTP/1.1\r\n<HEAD>\r\n${FORM}\r\nContent-Length: ${body.length}`;
  return { class: 26, about: 'a method in a form', bytes: `${head}\r\n\r\n${body}` };
}
