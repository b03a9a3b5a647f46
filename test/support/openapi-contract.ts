// What an OpenAPI document says of one operation, compared with what the server answers: a good call and, of everything that
// the document promises or leaves out, a call that tells. Each difference is a sentence.
import { Ajv2020 } from 'ajv/dist/2020.js';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
}

interface ResponseObject {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, unknown>>;
}

export interface DocumentedOperation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean };
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
}

/** A call that the caller may make and that is well-formed; `path` has its parameters filled in. */
export interface GoodCall {
  readonly caller: string;
  readonly path: string;
  readonly body?: unknown;
  /** Of what has a revision, and must be named. */
  readonly tag?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** By operation id: `[method, path]` as they stand in the document. */
export function operationsOf(document: OpenApiDocument): ReadonlyMap<string, readonly [string, string]> {
  return new Map(
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { operationId }]) => [operationId, [method, path]] as const),
    ),
  );
}

export interface Contract {
  /** The answer of the good call, and what differs; may be empty. */
  compare(id: string, call: GoodCall): Promise<{ readonly answer: Answered; readonly differences: string[] }>;
  /** What differs in one answer to whatever the call may be, which must be of this status. */
  expecting(id: string, call: GoodCall, status: number | null): Promise<string[]>;
}

type Sent = GoodCall & { readonly headers?: Readonly<Record<string, string>>; readonly query?: string };

/** Headers that answers of this interface have; each stands in the document where it is sent, and is sent where it stands. */
const ALWAYS = ['etag', 'location', 'www-authenticate'];
const SOMETIMES = ['retry-after', 'idempotency-replayed'];

export function contractOf(url: string, document: OpenApiDocument): Contract {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, 'doc');
  const operations = operationsOf(document);
  let keys = 0;

  function documented(id: string): readonly [string, string, DocumentedOperation] {
    const [method = '', path = ''] = operations.get(id) ?? [];
    const operation = document.paths[path]?.[method];
    if (operation === undefined) throw new TypeError(`${id} does not stand in the document`);
    return [method, path, operation];
  }

  async function send(method: string, { caller, path, body, headers = {}, query = '' }: Sent) {
    const all = new Headers(headers);
    if (caller !== '') all.set('authorization', `Bearer ${caller}`);
    if (body !== undefined) all.set('content-type', 'application/json');
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(url + path + query, { method, headers: all, ...init });
    const answer: Answered = {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Answered['body'],
    };
    return answer;
  }

  function differencesOf(id: string, { status, headers, body }: Answered): string[] {
    const [method, path, { responses }] = documented(id);
    const key = [String(status), `${String(status).charAt(0)}XX`].find((one) => one in responses);
    if (key === undefined) return [`status ${status} does not stand in the document`];
    const response = responses[key] as ResponseObject;
    const named = new Set(Object.keys(response.headers ?? {}).map((name) => name.toLowerCase()));
    const type = (headers.get('content-type') ?? '').replace(/;.*/, '');
    const found: string[] = [];
    for (const name of [...ALWAYS, ...SOMETIMES]) {
      if (headers.has(name) && !named.has(name)) found.push(`${key} has ${name} and does not say so`);
    }
    for (const name of ALWAYS) {
      if (named.has(name) && !headers.has(name)) found.push(`${key} says ${name} and has none`);
    }
    if (!(type in (response.content ?? {}))) return [...found, `${key} is ${type} and does not say so`];
    const parts = ['paths', path, method, 'responses', key, 'content', type, 'schema'];
    const pointer = parts.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
    const matches = ajv.validate({ $ref: `doc#/${encodeURI(pointer)}` }, body);
    return matches ? found : [...found, `${key} does not match its schema: ${ajv.errorsText(ajv.errors)}`];
  }

  async function probe(id: string, call: Sent, [name, status]: readonly [string, number | null]) {
    const answer = await send(documented(id)[0].toUpperCase(), call);
    const found = differencesOf(id, answer).map((one) => `${id}, ${name}: ${one}`);
    if (status !== null && answer.status !== status)
      found.push(
        `${id}, ${name}: ${answer.status} instead of ${status} (${String(answer.body['type'] ?? '')})`,
      );
    if ((status === 429 || status === 503) && !answer.headers.has('retry-after'))
      found.push(`${id}, ${name}: no retry-after`);
    return { answer, found };
  }

  async function repetitions(id: string, call: Sent, status: number): Promise<string[]> {
    const { responses } = documented(id)[2];
    const isKept = 'Idempotency-Replayed' in (responses[String(status)]?.headers ?? {});
    const again = await probe(id, call, ['a repetition', isKept ? status : 409]);
    const isReplayed = again.answer.headers.get('idempotency-replayed') === 'true';
    const otherCall = await probe(id, { ...call, query: '?' }, ['its key for another call', 422]);
    return [
      ...again.found,
      ...(isReplayed === isKept ? [] : [`${id}, a repetition: replayed is ${isReplayed}`]),
      ...otherCall.found,
      ...['409', '422'].filter((one) => !(one in responses)).map((one) => `${id} does not say ${one}`),
    ];
  }

  async function compare(id: string, call: GoodCall) {
    const { parameters = [], requestBody } = documented(id)[2];
    const param = (name: string) => parameters.find((one) => one.in === 'header' && one.name === name);
    const queries = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
    const [ifMatch, keyed] = [param('If-Match'), param('Idempotency-Key')];
    const tag = call.tag === undefined ? {} : { 'if-match': call.tag };
    const as = (headers: Record<string, string>): Sent => ({ ...call, headers: { ...tag, ...headers } });
    const refusals: (readonly [string, Sent, number])[] = [['no credential', { ...as({}), caller: '' }, 401]];
    const refused = (name: string, sent: Sent, status: number) => void refusals.push([name, sent, status]);
    if (ifMatch !== undefined) refused('another revision', as({ 'if-match': '"999"' }), 412);
    if (ifMatch?.required === true) refused('no revision', { ...call, headers: {} }, 428);
    if (keyed !== undefined) refused('a malformed key', as({ 'idempotency-key': 'with space' }), 400);
    for (const name of queries) refused(`an empty ${name}`, { ...as({}), query: `?${name}=` }, 400);
    if (queries.length > 0) refused('an unknown filter', { ...as({}), query: '?zz=1' }, 400);
    if (requestBody?.required === true) refused('no body', { ...as({}), body: undefined }, 400);
    const differences: string[] = [];
    for (const [name, sent, status] of refusals) {
      differences.push(...(await probe(id, sent, [name, status])).found);
      if (!(status === 400 || String(status) in documented(id)[2].responses))
        differences.push(`${id} does not say ${status}`);
    }
    // What the document does not name must have no effect.
    const unnamed = {
      ...(ifMatch === undefined ? { 'if-match': '"999"' } : {}),
      'idempotency-key': keyed === undefined ? 'with space' : `key-${++keys}`,
    };
    const good = { ...as(unnamed), query: queries.length === 0 ? '?zz=1' : '' };
    const { answer, found } = await probe(id, good, ['a good call', null]);
    differences.push(...found);
    if (answer.status > 299) {
      differences.push(`${id}, a good call: ${answer.status} ${JSON.stringify(answer.body)}`);
    } else if (keyed !== undefined) differences.push(...(await repetitions(id, good, answer.status)));
    return { answer, differences };
  }

  return {
    compare,
    expecting: async (id, call, status) => (await probe(id, call, [`status ${status}`, status])).found,
  };
}
