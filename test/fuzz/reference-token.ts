// Which tokens may cost the look for a key and the check of a signature, said slowly and obviously right; and JSON whose
// members stand once. Shares nothing with what it is compared with but the options of an issuer.
import type { Issuer } from '#authn/options.ts';

/** What a token says, read by nobody's strict reader; the signature's length in bytes. */
export interface SaidToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signatureBytes: number;
}

/** RFC 7519 sections 4.1.3 to 4.1.6, RFC 7518 section 3.4, and what the issuer's options add. */
export function deservesKey(
  { header, claims, signatureBytes }: SaidToken,
  { issuer, audience, nowMs }: { readonly issuer: Issuer; readonly audience: string; readonly nowMs: number },
): boolean {
  const algorithm = issuer.algorithms.find((one) => Object.is(one, header['alg']));
  if (algorithm === undefined) return false;
  const isRsa = algorithm === 'RS256' || algorithm === 'PS256';
  if (isRsa ? signatureBytes < 256 || signatureBytes > 1024 : signatureBytes !== 64) return false;
  const audiences: readonly unknown[] = [own(claims, 'aud')].flat();
  const strangers = audiences.filter(
    (one) => one !== audience && (typeof one !== 'string' || !issuer.otherAudiences.includes(one)),
  );
  if (strangers.length > 0 || !audiences.includes(audience)) return false;
  const { authorizedParties } = issuer;
  if (authorizedParties.length > 0 && !(authorizedParties as readonly unknown[]).includes(own(claims, 'azp')))
    return false;
  return holdsNow(claims, issuer, nowMs);
}

function own(claims: SaidToken['claims'], name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

function holdsNow(claims: SaidToken['claims'], issuer: Issuer, nowMs: number): boolean {
  const dates = ['exp', 'iat', 'nbf'].map((name) => own(claims, name));
  const isSound = dates.every(
    (date) => date === undefined || (typeof date === 'number' && date > 0 && date < 1e11),
  );
  if (!isSound) return false;
  const [exp, iat, nbf] = dates as (number | undefined)[];
  const { clockToleranceMs, maxTokenAgeMs } = issuer;
  const earliest = nowMs - clockToleranceMs;
  const latest = nowMs + clockToleranceMs;
  if (exp === undefined || Math.floor(exp * 1000) <= earliest) return false;
  if ((iat ?? 0) * 1000 > latest || (nbf ?? 0) * 1000 > latest) return false;
  return maxTokenAgeMs === null || (iat !== undefined && Math.floor(iat * 1000) + maxTokenAgeMs > earliest);
}

const JSON_TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/gs;

/** Of well-formed JSON: names that are written, against members that a parser made of them, which keeps the last of equals. */
export function hasRepeatedMembers(json: string): boolean {
  const tokens = json.match(JSON_TOKEN) ?? [];
  return tokens.filter((one) => one === ':').length !== membersIn(JSON.parse(json));
}

function membersIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value).reduce((sum: number, one) => sum + membersIn(one), 0);
  return inner + (Array.isArray(value) ? 0 : Object.keys(value).length);
}
