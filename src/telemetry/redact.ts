// Keeps secrets and personal values out of the operational log, whoever hands them in: by the name of a key
// and by what a string looks like. Attacks and accidents alike: a token in a header, an email in a message.
// Not hot: the log has no line per request.
import { describeError } from './describe-error.ts';

const REDACTED = '[redacted]';
const MAX_DEPTH = 6;
const MAX_ITEMS = 50;
const MAX_LENGTH = 2000;

/** Compared without case, underscores and dashes; a key that ends in one of these counts too. */
const SECRET_KEYS =
  /(?:authorization|cookie|token|secret|password|passphrase|credential|apikey|privatekey|assertion|email|useragent|jwk)s?$/;
const HEADERS_OR_BODY = /^(?:headers|rawheaders|body|payload)$/;

const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  // A JWT, signed or not; a service key; credentials of an authorization header; userinfo of a URL.
  [/\beyJ[\w-]{4,}\.[\w-]*(?:\.[\w-]*){0,3}/g, REDACTED],
  [/\bpsk_[\w-]+/g, REDACTED],
  [/\b(Bearer|Basic|Digest|Negotiate)\s+[^\s,;"']+/gi, `$1 ${REDACTED}`],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@"']{1,200}@/gi, `$1${REDACTED}@`],
  [/[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g, REDACTED],
  [/([?&;](?:[\w.-]{0,40})(?:token|secret|password|key|code|signature|sig)=)[^&\s"']+/gi, `$1${REDACTED}`],
];

/** A copy that may be logged. Errors are described, deep and wide things are cut off. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactedText(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  if (value instanceof Error) return describeError(value);
  if (value instanceof Date) return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redacted(item, depth + 1));
  if (ArrayBuffer.isView(value) || value instanceof Map || value instanceof Set) return '[data]';
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value).slice(0, MAX_ITEMS)) {
    copy[key] = isSecretKey(key) && item !== null ? REDACTED : redacted(item, depth + 1);
  }
  return copy;
}

function redactedText(text: string): string {
  let safe = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  for (const [pattern, replacement] of SECRET_TEXT) safe = safe.replace(pattern, replacement);
  return safe;
}

function isSecretKey(key: string): boolean {
  const plain = key.toLowerCase().replace(/[_-]/g, '');
  return SECRET_KEYS.test(plain) || HEADERS_OR_BODY.test(plain);
}
