// A held body → what rules see of it, once per request. Guarantees: never throws; by its declared type alone; what two
// parsers could read in two ways (duplicate members, a byte order mark, a NUL, half a surrogate pair, a form that is
// JSON as well) is unreadable. Linear; work on the event loop is bounded by `maxBytes`. Not hot.
import { parseStrictJson } from '#model/strict-json.ts';
import { type BodySyntax, syntaxOf } from './body-type.ts';
import { inflateBody, type Inflated } from './body-inflate.ts';
import type { HeldBody } from './compiled-policy.ts';
import type { GraphqlReading } from './graphql-reading.ts';
import { readGraphql } from './graphql-requests.ts';
import { foldName, METHOD_OVERRIDE, QueryView } from './query.ts';
import type { BodyKind, RequestBody } from './request-body.ts';

const MAX_JSON_DEPTH = 64;

const NO_METHODS: readonly string[] = Object.freeze([]);
const JSON_FLAWS = Object.freeze({
  malformed: 'the body is not JSON',
  ambiguous: 'a member of the JSON body stands twice in one object',
  deep: `the JSON body is nested more than ${MAX_JSON_DEPTH} deep`,
});

class ReadBody implements RequestBody {
  readonly kind: BodyKind;
  readonly json: unknown;
  readonly form: string;
  readonly document: string;
  readonly claimedMethods: readonly string[];
  readonly flaw: string | null;
  private query: string | null = null;
  private reading: GraphqlReading | null = null;

  constructor(kind: BodyKind, content: Partial<Content>) {
    this.kind = kind;
    this.json = content.json;
    this.form = content.form ?? '';
    this.document = content.document ?? '';
    this.claimedMethods = content.claimedMethods ?? NO_METHODS;
    this.flaw = content.flaw ?? null;
  }

  graphql(query: string): GraphqlReading {
    if (this.reading === null || this.query !== query) {
      this.reading = readGraphql(this, query);
      this.query = query;
    }
    return this.reading;
  }
}

interface Content {
  json: unknown;
  form: string;
  document: string;
  claimedMethods: readonly string[];
  flaw: string;
}

/** No body, or one without a byte. Shared by every request: what it keeps of a query follows from the query alone. */
export const NO_BODY: RequestBody = withoutBytes();

/** A plain object, so that a test can spread it. */
function withoutBytes(): RequestBody {
  const body = new ReadBody('none', {});
  return Object.freeze({ ...body, graphql: (query: string) => body.graphql(query) });
}

const TOO_LARGE: RequestBody = new ReadBody('too_large', {
  flaw: 'the body is larger than what rules look into',
});

/** A promise only where the body is compressed. */
export function readBody(held: HeldBody): RequestBody | Promise<RequestBody> {
  const { bytes, contentType, contentEncoding, maxBytes } = held;
  if (bytes !== null && bytes.length === 0) return NO_BODY;
  const syntax = syntaxOf(contentType);
  if (syntax === null) return unreadable('the body is of no type that rules look into, or of more than one');
  if (bytes === null || bytes.length > maxBytes) return TOO_LARGE;
  const inflated = inflateBody(bytes, contentEncoding, maxBytes);
  if (!(inflated instanceof Promise)) return decoded(inflated, syntax);
  return inflated.then((result) => decoded(result, syntax));
}

/** A body as a client would send it; for tests and tools. */
export function bodyOf(text: string, contentType: string): RequestBody {
  const bytes = Buffer.from(text);
  return readBody({ bytes, contentType, contentEncoding: '', maxBytes: bytes.length }) as RequestBody;
}

function unreadable(flaw: string): RequestBody {
  return new ReadBody('unreadable', { flaw });
}

function decoded(content: Inflated, syntax: BodySyntax): RequestBody {
  if (content.bytes === null) return new ReadBody(content.kind, { flaw: content.flaw });
  if (content.bytes.length === 0) return NO_BODY;
  const text = textOf(content.bytes);
  if (text === null) return unreadable('the body is not UTF-8');
  if (text.startsWith('\u{FEFF}')) return unreadable('the body starts with a byte order mark');
  if (syntax === 'json') return jsonBody(text);
  return syntax === 'form' ? formBody(text) : new ReadBody('graphql', { document: text });
}

function textOf(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function jsonBody(text: string): RequestBody {
  const { value, flaw } = parseStrictJson(text, MAX_JSON_DEPTH);
  if (flaw !== null) return unreadable(JSON_FLAWS[flaw]);
  // Some decoders end a string at a NUL, and each makes something else of half a surrogate pair.
  if (text.includes('\\u0000')) return unreadable('the JSON body may hold a NUL');
  if (/\\u[dD][89a-fA-F]/.test(text) && !isWellFormed(value)) {
    return unreadable('the JSON body holds half a surrogate pair');
  }
  return new ReadBody('json', { json: value, claimedMethods: methodsIn(value) });
}

/** Some frameworks read a JSON object and a form as one bag of parameters. */
function methodsIn(json: unknown): readonly string[] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return NO_METHODS;
  const claimed = Object.entries(json)
    .filter(([name]) => foldName(name) === METHOD_OVERRIDE)
    .map(([, value]) => (typeof value === 'string' ? value.trim().toUpperCase() : ''));
  return claimed.length === 0 ? NO_METHODS : Object.freeze(claimed);
}

/** Depth is bounded already. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, item]) => name.isWellFormed() && isWellFormed(item));
}

function formBody(text: string): RequestBody {
  // An application that reads JSON whatever the type says would see what no form field names.
  if (/^[\t\n\r ]*[[{]/.test(text)) return unreadable('the form may be read as JSON');
  const pairs = new QueryView([]);
  pairs.reset(text);
  const claimed = pairs.valuesOf(METHOD_OVERRIDE);
  if (pairs.unreadableOverride || pairs.isUnreadable(METHOD_OVERRIDE)) {
    return unreadable('a name or value of the form that may stand for _method is malformed');
  }
  const claimedMethods = [...claimed].map((method) => method.trim().toUpperCase());
  return new ReadBody('form', { form: text, claimedMethods: Object.freeze(claimedMethods) });
}
