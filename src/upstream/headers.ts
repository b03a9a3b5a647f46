// Header hygiene of requests: one pass over the raw lines, from what the client sent to what may travel (P8).
// Guarantees: no managed, hop-by-hop or nominated header and no support credential is left, and no value holds a
// byte outside visible ASCII, space and tab. Assumes framing and singletons were checked by the gateway. Hot.
import { type Denial, deny } from '#model/verdict.ts';
import { isSafeValue } from './field-value.ts';
import { CONNECTION, COOKIE, type HeaderRules, ODD, OWN_COOKIE, PASS_ON, REFUSE } from './managed-headers.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** Connection options that name no header, and headers dropped on every request anyway. */
const PLAIN_OPTIONS = new Set(['close', 'keep-alive', 'upgrade', 'te']);

export interface HeaderSource {
  /** Name, value, name, value … as Node read them. */
  readonly raw: readonly string[];
  /** Names with `_` or `.` that the route lets pass, lower case. */
  readonly allowed: readonly string[];
}

/**
 * Appends what may travel to `out` (name, value, name, value …, names as spelled) and returns null, or a denial:
 * then `out` is not to be used. `onDropped` is told each name dropped for its `_` or `.`.
 */
export function checkAndStripHeaders(
  source: HeaderSource,
  rules: HeaderRules,
  out: string[],
  onDropped: (name: string) => void,
): Denial | null {
  const { raw, allowed } = source;
  const start = out.length;
  let nominated: Set<string> | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (!isSafeValue(value))
      return deny('bad_header', 'a header value holds a control or non-ASCII character');
    switch (rules.classOf(name)) {
      case PASS_ON:
        out.push(name, value);
        break;
      case COOKIE: {
        const rest = withoutOwnCookie(value);
        if (rest !== '') out.push(name, rest);
        break;
      }
      case CONNECTION:
        nominated ??= new Set();
        if (!readNominations(value, rules, nominated))
          return deny('bad_header', 'Connection nominates a header');
        break;
      case ODD:
        if (allowed.length > 0 && allowed.includes(name.toLowerCase())) out.push(name, value);
        else onDropped(name);
        break;
      case REFUSE:
        return deny('bad_header', 'a header is spelled like one that the gate sets');
    }
  }
  if (nominated !== null && nominated.size > 0) removeNominated(out, start, nominated);
  return null;
}

/** RFC 9110 section 7.6.1. False: it names what must not be removed, or is no list of tokens. */
function readNominations(value: string, rules: HeaderRules, into: Set<string>): boolean {
  for (const part of value.split(',')) {
    const token = part.trim().toLowerCase();
    if (token === '' || PLAIN_OPTIONS.has(token)) continue;
    if (!TOKEN.test(token) || !rules.mayBeNominated(token)) return false;
    into.add(token);
  }
  return true;
}

function removeNominated(out: string[], start: number, nominated: ReadonlySet<string>): void {
  let kept = start;
  for (let i = start; i < out.length; i += 2) {
    const name = out[i] as string;
    if (nominated.has(name.toLowerCase())) continue;
    out[kept] = name;
    out[kept + 1] = out[i + 1] as string;
    kept += 2;
  }
  out.length = kept;
}

/** The cookie header without Postern's own pairs, in any case and spacing; may be empty. */
function withoutOwnCookie(value: string): string {
  if (!value.toLowerCase().includes(OWN_COOKIE)) return value;
  return value
    .split(';')
    .filter((pair) => !isOwnCookie(pair))
    .join(';')
    .trim();
}

/** A pair without a name whose value spells the cookie is read as the cookie itself by many servers. */
export function isOwnCookie(pair: string): boolean {
  const text = pair.replace(/^[\s=]+/, '');
  const end = text.indexOf('=');
  return (end === -1 ? text : text.slice(0, end)).trim().toLowerCase() === OWN_COOKIE;
}
