// The unverified reading of a token: its form is checked as strictly as can be before anything is looked up or
// computed, so that an attack costs little. Guarantees nothing about who made it. Runs once per token.
import { type JsonObject, member, parseStrictObject } from '#model/strict-json.ts';
import type { Denial } from '#model/verdict.ts';
import { DENIED } from './denials.ts';

/** Larger than any token that real providers issue with a group list, smaller than what costs anything. */
const MAX_TOKEN_LENGTH = 16_384;
const MAX_HEADER_LENGTH = 4096;
const MAX_KID_LENGTH = 256;

/**
 * Header-driven cryptography (CVE-2022-36083, CVE-2024-28176, embedded keys): members by which a token would
 * choose its own key, its own processing or another format. None has a place in an access token.
 */
const REFUSED_MEMBERS = [
  'crit',
  'b64',
  'jwk',
  'jku',
  'x5u',
  'x5c',
  'enc',
  'zip',
  'epk',
  'p2s',
  'p2c',
] as const;
/** RFC 7519 section 5.1 and RFC 9068 section 2.1. Other kinds of JWT are not credentials (RFC 8725 section 3.11). */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt']);

const CONTROL = /\p{Cc}/u;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What a token says of itself. Not to be believed. */
export interface UnverifiedToken {
  readonly algorithm: string;
  readonly keyId: string | null;
  readonly issuer: string;
  readonly claims: JsonObject;
  /** Of the signature, after decoding. */
  readonly signatureBytes: number;
}

/** Reads a compact JWS (RFC 7515 section 7.1), or says why it is none. Never throws. */
export function readToken(token: string): UnverifiedToken | Denial {
  if (token.length > MAX_TOKEN_LENGTH) return DENIED.tooLong;
  const parts = token.split('.', 6);
  if (parts.length === 5) return DENIED.encrypted;
  if (parts.length !== 3) return DENIED.notThreeParts;
  const [encodedHeader, encodedPayload, encodedSignature] = parts as [string, string, string];
  if (encodedHeader.length > MAX_HEADER_LENGTH) return DENIED.header;
  const header = decode(encodedHeader);
  if (header === null) return DENIED.base64;
  const checked = readHeader(header);
  if ('reason' in checked) return checked;
  const signature = decode(encodedSignature);
  if (signature === null) return DENIED.base64;
  const payload = decode(encodedPayload);
  if (payload === null) return DENIED.base64;
  const claims = parseObject(payload);
  if (claims === null) return DENIED.payload;
  const issuer = member(claims, 'iss');
  if (typeof issuer !== 'string') return DENIED.issuerMissing;
  return { ...checked, issuer, claims, signatureBytes: signature.length };
}

/**
 * The `iss` that a lax reader would find, or null. For telling a support credential from other traffic: here a
 * malformed token counts as its issuer's, so that it is refused and not passed on.
 */
export function looselyReadIssuer(token: string): string | null {
  const start = token.indexOf('.');
  if (start < 1) return null;
  const end = token.indexOf('.', start + 1);
  const encoded = token.slice(start + 1, end < 0 ? undefined : end);
  try {
    const claims: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
    const issuer = (claims as { readonly iss?: unknown } | null)?.iss;
    return typeof issuer === 'string' ? issuer : null;
  } catch {
    return null;
  }
}

function readHeader(bytes: Buffer): { algorithm: string; keyId: string | null } | Denial {
  const header = parseObject(bytes);
  if (header === null) return DENIED.header;
  for (const name of REFUSED_MEMBERS) {
    if (Object.hasOwn(header, name)) return DENIED.headerMember;
  }
  const algorithm = member(header, 'alg');
  if (typeof algorithm !== 'string') return DENIED.algorithm;
  const typ = member(header, 'typ');
  if (typ !== undefined && !isAllowedType(typ)) return DENIED.typ;
  const kid = member(header, 'kid');
  if (kid === undefined) return { algorithm, keyId: null };
  return isKeyId(kid) ? { algorithm, keyId: kid } : DENIED.kid;
}

/** A usable `kid`, in a token or in a key set. */
export function isKeyId(kid: unknown): kid is string {
  return typeof kid === 'string' && kid.length > 0 && kid.length <= MAX_KID_LENGTH && !CONTROL.test(kid);
}

/** RFC 7515 section 4.1.9: case-insensitive, and `application/` may be left out. */
function isAllowedType(typ: unknown): boolean {
  if (typeof typ !== 'string') return false;
  const name = typ.toLowerCase();
  return TYPES.has(name.startsWith('application/') ? name.slice(12) : name);
}

/** Null unless `text` is exactly what encoding those bytes gives: no padding, no blanks, no stray bits. */
function decode(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length > 0 && bytes.toString('base64url') === text ? bytes : null;
}

function parseObject(bytes: Buffer): JsonObject | null {
  try {
    return parseStrictObject(decoder.decode(bytes));
  } catch {
    return null;
  }
}
