// Which methods a request claims besides its own: `_method` in the query or the body, as several frameworks honour it.
// For what allows: every claim must be allowed too, and a claim that cannot be read is none that could be. Widest
// reading of the claim itself. Hot; a request without a query or a body costs two comparisons.
import type { RouteFacts } from './compiled-policy.ts';
import { METHOD_OVERRIDE, QueryView } from './query.ts';
import { secondReadings } from './second-reading.ts';

/** RFC 9110 section 9.2.1, less TRACE, which never passes. Upper case, as sent or as `MethodClaims` reads it. */
export function isSafeMethod(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

const NONE: readonly string[] = Object.freeze([]);

/**
 * Without an escape, a letter beyond ASCII (a further reading's) or the word itself there is nothing to find. The word
 * alone, since what stands for the underscore has several spellings.
 */
function mayName(pairs: string): boolean {
  for (let i = 0; i < pairs.length; i++) {
    const code = pairs.charCodeAt(i);
    if (code === 0x25 || code > 0x7e) return true;
  }
  return pairs.toLowerCase().includes('method');
}

/** What the body claims; `unreadable` where it could and nobody can tell. */
type BodyClaims = readonly string[] | 'needs_body' | 'unreadable';

/** One scratch view; never entered twice at once, since nothing here waits. */
export class MethodClaims {
  private readonly view = new QueryView([]);

  /** Upper case, from the query; null when a name or value that may stand for `_method` is malformed. */
  ofQuery({ target, routePath }: RouteFacts): readonly string[] | null {
    const own = this.ofPairs(target.query);
    if (own === null || !(target.encodedSlash || target.encodedPercent)) return own;
    // An encoded `?` may begin a query further back (P3).
    const further = secondReadings(routePath);
    if (further === null) return null;
    const all = own.slice();
    for (const { query } of further) {
      const claimed = this.ofPairs(query);
      if (claimed === null) return null;
      all.push(...claimed);
    }
    return all;
  }

  /** Whether everything that the query, and the body where it was read, claims is safe. */
  onlySafe(facts: RouteFacts): boolean {
    const { target, body } = facts;
    if (target.query !== '' || target.encodedSlash || target.encodedPercent) {
      const claimed = this.ofQuery(facts);
      if (claimed === null || !claimed.every(isSafeMethod)) return false;
    }
    return body === null || methodsOfBody(facts).every(isSafeMethod);
  }

  private ofPairs(pairs: string): readonly string[] | null {
    if (!mayName(pairs)) return NONE;
    this.view.reset(pairs);
    const values = this.view.valuesOf(METHOD_OVERRIDE);
    if (this.view.unreadableOverride || this.view.isUnreadable(METHOD_OVERRIDE)) return null;
    return values.size === 0 ? NONE : Array.from(values, asMethod);
  }
}

/**
 * Forms claim methods, and so do JSON objects: some frameworks read both as one bag of parameters. JSON that was read
 * counts always; `jsonToo` says whether it has to be read. A type that is absent or malformed may be taken for either.
 */
export function claimsOfBody(facts: RouteFacts, jsonToo: boolean): BodyClaims {
  const { body, contentType } = facts;
  if (body === null) return facts.hasBody && mayClaim(contentType, jsonToo) ? 'needs_body' : NONE;
  const isRead = body.kind !== 'unreadable' && body.kind !== 'too_large';
  return isRead || !mayClaim(contentType, jsonToo) ? methodsOfBody(facts) : 'unreadable';
}

/** RFC 9110 section 8.3.1; a list of types, of which servers take the first or the last, does not fit. */
const MEDIA_TYPE = /^[\t ]*[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+[\t ]*(?:;[^,]*)?$/;
const FORMS = ['urlencoded', 'multipart', 'form-data'];

function mayClaim(contentType: string, jsonToo: boolean): boolean {
  const type = contentType.toLowerCase();
  if (!MEDIA_TYPE.test(type) || FORMS.some((form) => type.includes(form))) return true;
  return jsonToo && type.includes('json');
}

function methodsOfBody({ body }: RouteFacts): readonly string[] {
  return body === null ? NONE : body.claimedMethods;
}

function asMethod(text: string): string {
  return text.trim().toUpperCase();
}
