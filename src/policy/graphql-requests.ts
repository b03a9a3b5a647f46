// Finds the GraphQL documents of a request, in its body and its query string, and reads them all. Guarantees: a batch
// member, a stored document (a hash or id in place of its text) or a text beyond the bounds is never left out in
// silence: it is a flaw of the reading. Names of members are folded, as lenient decoders do. Never throws. Not hot.
import { createHash } from 'node:crypto';
import { isJsonObject, parseStrictJson } from '#model/strict-json.ts';
import { readGraphqlDocument } from './graphql-document.ts';
import { type GraphqlOperation, type GraphqlReading, NO_GRAPHQL } from './graphql-reading.ts';
import { decodePart, foldName } from './query.ts';
import type { RequestBody } from './request-body.ts';

/** Characters of all documents of a request together; beyond, parsing would hold up the event loop. */
export const MAX_GRAPHQL_CHARACTERS = 64 * 1024;
export const MAX_GRAPHQL_TOKENS = 10_000;

const MAX_BATCH = 1000;
const MAX_EXTENSIONS_DEPTH = 16;
const STORED = 'a persisted query: its hash or id came without its text';
const STORED_BESIDES = 'a persisted query: a hash or id that is not of the text came with it';
const NO_DOCUMENT = 'a GraphQL request without a document';

/** Folded names by which servers take a stored document, or a batch, in place of `query`. */
const STORED_NAMES = new Set([
  'id',
  'queryid',
  'query_id',
  'documentid',
  'document_id',
  'doc_id',
  'docid',
  'operationid',
  'documenthash',
  'queryhash',
  'operations',
]);
/** Folded names that speak of a GraphQL request, even without a document. */
const REQUEST_NAMES = new Set(['operationname', 'variables', 'extensions']);
/** Stands for a stored document whose hash is not told. */
const UNKNOWN_HASH = Symbol('unknown hash');

/** What one request names: by its body, its query string or, unless it is a batch, both. */
interface Request {
  /** Whether it is a GraphQL request at all. */
  isNamed: boolean;
  readonly texts: string[];
  readonly stored: unknown[];
  flaw: string | null;
}

/** `query` without its `?`. */
export function readGraphql(body: RequestBody, query: string): GraphqlReading {
  if (query === '' && body.kind === 'none') return NO_GRAPHQL;
  const requests: Request[] = [];
  const outer = newRequest(requests);
  readPairs(query, outer);
  switch (body.kind) {
    case 'json':
      if (Array.isArray(body.json)) readBatch(body.json, requests, outer);
      else readMember(body.json, outer);
      break;
    case 'form':
      outer.isNamed = true;
      readPairs(body.form, outer);
      break;
    case 'graphql':
      addText(body.document, outer);
      break;
    default:
      outer.flaw ??= body.flaw;
  }
  return readAll(requests, body.kind === 'too_large');
}

function newRequest(requests: Request[]): Request {
  const request: Request = { isNamed: false, texts: [], stored: [], flaw: null };
  requests.push(request);
  return request;
}

function readBatch(members: readonly unknown[], requests: Request[], outer: Request): void {
  if (members.length > MAX_BATCH) {
    outer.flaw ??= `a batch of more than ${MAX_BATCH} GraphQL requests`;
    return;
  }
  for (const member of members) readMember(member, newRequest(requests));
}

function readMember(value: unknown, request: Request): void {
  request.isNamed = true;
  if (!isJsonObject(value)) {
    request.flaw ??= 'a GraphQL request that is no object';
    return;
  }
  for (const key of Object.keys(value)) readNamed(foldName(key), value[key], request);
}

/** `name` is folded; `value` as JSON has it, or a string out of a pair. */
function readNamed(name: string, value: unknown, request: Request): void {
  if (value === null) return;
  if (name === 'query') addText(value, request);
  else if (name === 'extensions') readExtensions(value, request);
  else if (STORED_NAMES.has(name) && value !== '') request.stored.push(value);
  if (name === 'query' || REQUEST_NAMES.has(name) || STORED_NAMES.has(name)) request.isNamed = true;
}

/** A list comes of a query string that a lenient parser has read; any of it may be taken. */
function addText(value: unknown, request: Request): void {
  request.isNamed = true;
  for (const one of Array.isArray(value) ? value : [value]) {
    if (typeof one !== 'string') request.flaw ??= 'a GraphQL document that is no string';
    else if (one.trim() !== '') request.texts.push(one);
  }
}

/** Automatic persisted queries name the hash here. Text where it came in a pair. */
function readExtensions(value: unknown, request: Request): void {
  const extensions =
    typeof value === 'string' && value !== '' ? parseStrictJson(value, MAX_EXTENSIONS_DEPTH).value : value;
  // An empty map is an empty list to some languages.
  if (extensions === '' || extensions === null || (Array.isArray(extensions) && extensions.length === 0))
    return;
  if (!isJsonObject(extensions)) {
    request.flaw ??= 'extensions of a GraphQL request that are no object';
    return;
  }
  for (const key of Object.keys(extensions)) {
    const stored = extensions[key];
    if (foldName(key) !== 'persistedquery' || stored === null) continue;
    const before = request.stored.length;
    if (isJsonObject(stored)) {
      for (const name of Object.keys(stored)) {
        if (foldName(name) === 'sha256hash') request.stored.push(stored[name]);
      }
    }
    if (request.stored.length === before) request.stored.push(UNKNOWN_HASH);
  }
}

/** The widest reading of REQUEST-SAFETY.md, "Query"; values stay as they came, since a folded document is another. */
function readPairs(pairs: string, request: Request): void {
  for (const pair of pairs.split(/[&;]/)) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const decoded = decodePart(equals === -1 ? pair : pair.slice(0, equals));
    if (decoded === null) {
      request.flaw ??= 'a name beside the GraphQL documents is malformed';
      continue;
    }
    const name = nameOfPair(foldName(decoded));
    if (name === '' || !isRead(name)) continue;
    const value = decodePart(equals === -1 ? '' : pair.slice(equals + 1));
    if (value === null) {
      request.isNamed = true;
      request.flaw ??= 'a value of a GraphQL request is malformed';
    } else readNamed(name, value, request);
  }
}

function isRead(name: string): boolean {
  return name === 'query' || REQUEST_NAMES.has(name) || STORED_NAMES.has(name);
}

/** `0[query]` is a document of a batch, `variables[query]` is none; empty for what says nothing. */
function nameOfPair(name: string): string {
  const open = name.indexOf('[');
  if (open === -1) return name;
  const first = name.slice(0, open);
  if (first === 'variables') return '';
  // Hashes in brackets are not taken apart: that some are named is enough.
  if (first === 'extensions') return name.includes('[persistedquery]') ? 'operations' : '';
  const last = name.slice(name.lastIndexOf('[') + 1, -1);
  return last === 'query' || last === 'extensions' ? last : '';
}

function readAll(requests: readonly Request[], bodyTooLarge: boolean): GraphqlReading {
  const reading = {
    operations: [] as GraphqlOperation[],
    flaw: null as string | null,
    tooLarge: bodyTooLarge,
  };
  const bounds: Bounds = { characters: MAX_GRAPHQL_CHARACTERS, tokens: MAX_GRAPHQL_TOKENS };
  for (const request of requests) reading.flaw ??= request.flaw ?? flawOf(request);
  for (const { texts } of requests) {
    for (const text of texts) if (!readText(text, bounds, reading)) return reading;
  }
  return reading;
}

/** What may still be looked at. */
interface Bounds {
  characters: number;
  tokens: number;
}

/** False where no further text need be read: the request is refused in any case, and reading on would cost time. */
function readText(
  text: string,
  bounds: Bounds,
  reading: { operations: GraphqlOperation[]; flaw: string | null; tooLarge: boolean },
): boolean {
  bounds.characters -= text.length;
  if (bounds.characters < 0) {
    reading.tooLarge = true;
    reading.flaw ??= `GraphQL documents of more than ${MAX_GRAPHQL_CHARACTERS} characters`;
    return false;
  }
  const document = readGraphqlDocument(text, bounds.tokens);
  for (const operation of document.operations) reading.operations.push(operation);
  bounds.tokens -= document.tokens;
  reading.flaw ??= document.flaw;
  return document.flaw === null;
}

function flawOf({ isNamed, texts, stored }: Request): string | null {
  if (!isNamed) return null;
  if (texts.length === 0) return stored.length === 0 ? NO_DOCUMENT : STORED;
  if (stored.length === 0) return null;
  const text = texts[0] as string;
  if (texts.some((other) => other !== text)) return STORED_BESIDES;
  const own = createHash('sha256').update(text).digest('hex');
  return stored.every((hash) => isHash(hash, own)) ? null : STORED_BESIDES;
}

/** Then it does not matter which of the two the server takes: a hash is registered only with its own text. */
function isHash(hash: unknown, own: string): boolean {
  if (typeof hash !== 'string') return false;
  const named = hash.toLowerCase();
  return named === own || named === `sha256:${own}`;
}
