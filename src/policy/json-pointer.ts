// JSON pointers (RFC 6901) read the widest way, `*` for each element or member. Guarantees: member names are folded, so
// that a decoder that ignores case sees nothing a rule did not; a list where one object was meant is each of its
// elements, and the other way round. Assumes a value of bounded depth. Linear in the value for each segment.
import { foldName } from './query.ts';

/** Segments as `foldName` makes them; `*` is every one. */
export type JsonPointer = readonly string[];

const MAX_SEGMENTS = 16;
const INDEX = /^(?:0|[1-9][0-9]{0,5})$/;

/** A string says what is wrong with the text, as a clause. */
export function compilePointer(text: string): JsonPointer | string {
  if (!text.startsWith('/')) return 'must start with `/`, as in /user/email';
  if (/~(?![01])/.test(text)) return 'holds a `~` that is neither ~0 nor ~1';
  const segments = text
    .slice(1)
    .split('/')
    .map((part) => foldName(part.replaceAll('~1', '/').replaceAll('~0', '~')));
  if (segments.length > MAX_SEGMENTS) return `has more than ${MAX_SEGMENTS} segments`;
  if (segments.includes('')) return 'holds an empty segment';
  return Object.freeze(segments);
}

/** Every value at the pointer. Of a list on top, each element is a document as well: a batch. */
export function valuesAt(json: unknown, pointer: JsonPointer): readonly unknown[] {
  let found: Set<unknown> = new Set(Array.isArray(json) ? [json, ...json] : [json]);
  for (let i = 0; i < pointer.length; i++) {
    const segment = pointer[i] as string;
    const next = new Set<unknown>();
    for (const value of found) step(value, segment, next);
    found = next;
  }
  return [...found];
}

function step(value: unknown, segment: string, into: Set<unknown>): void {
  if (Array.isArray(value)) stepList(value, segment, into);
  else if (segment === '*') stepAny(value, into);
  else if (isObject(value)) stepMember(value, segment, into);
}

function stepList(list: readonly unknown[], segment: string, into: Set<unknown>): void {
  if (segment === '*') {
    for (const element of list) into.add(element);
  } else if (INDEX.test(segment)) {
    const index = Number(segment);
    if (index < list.length) into.add(list[index]);
  } else for (const element of list) if (isObject(element)) stepMember(element, segment, into);
}

/** One value where a list was meant is a list of one. */
function stepAny(value: unknown, into: Set<unknown>): void {
  if (value === null) return;
  into.add(value);
  if (isObject(value)) for (const name of Object.keys(value)) into.add(value[name]);
}

/** In a copy by assignment `__proto__` becomes the prototype, and what stands in it is read like the copy's own. */
function stepMember(object: Readonly<Record<string, unknown>>, segment: string, into: Set<unknown>): void {
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (foldName(name) === segment) into.add(value);
    else if (name === '__proto__' && isObject(value)) stepMember(value, segment, into);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
