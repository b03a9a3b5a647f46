// Tokens before anything is verified: the strict reading, the lax one by which a support credential is told from other
// traffic, and the people that claims make. What is read strictly is read alike by every lax parser, and whatever a lax
// parser finds an issuer in is somebody's to refuse. What goes on to keys and signatures is what reference-token.ts lets go on.
// An input is a token; or `plain ` and lines of a header, claims, the signature's bytes and what stands behind it; or `claims ` and JSON, read as claims.
import * as fc from 'fast-check';
import { readCustomer, readPrincipal } from '#authn/claims.ts';
import { checkCustomerIssuer, checkSupportIssuer } from '#authn/options.ts';
import { looselyReadIssuer, readToken, type UnverifiedToken } from '#authn/token-parts.ts';
import { createTokenVerifier } from '#authn/token-verifier.ts';
import type { EpochMs, MonotonicMs } from '#model/clock.ts';
import { isJsonObject, parseStrictObject } from '#model/strict-json.ts';
import { deny } from '#model/verdict.ts';
import { AUDIENCE, ISSUER, issuerOptions } from '../../support/authn-bench.ts';
import { broken, bytesOf, type FuzzTarget, synchronous, textOf } from '../fuzz-target.ts';
import { deservesKey, hasRepeatedMembers } from '../reference-token.ts';

const support = checkSupportIssuer(issuerOptions());
const nested = checkSupportIssuer(
  issuerOptions({
    claims: { groups: 'realm.roles', id: 'https://app.example/id' },
    org: { claim: 'org', oneOf: ['vendor'] },
    requireGroups: ['support'],
  }),
);
const customers = checkCustomerIssuer({
  name: 'saas',
  issuer: ISSUER,
  audience: AUDIENCE,
  keys: { kind: 'inline', json: '{}' },
  claims: { tenant: 'org_id' },
});

/** With every option that narrows or widens, at once. */
const particular = checkSupportIssuer(
  issuerOptions({
    algorithms: ['EdDSA', 'PS256'],
    authorizedParties: ['portal'],
    otherAudiences: ['partner'],
    maxTokenAgeMs: null,
  }),
);
const NOW_S = 1_760_000_000;
let asked = 0;
/** Counts who asks, and has no key for anybody: up to there a verifier runs before it first waits. */
const keys: Parameters<typeof createTokenVerifier>[0]['keys'] = {
  trustedUntil: 0 as EpochMs,
  version: 0,
  lookUp() {
    asked += 1;
    return deny('keys_unavailable');
  },
  holds: () => false,
  holdsId: () => false,
  onWithdrawn: () => ({ [Symbol.dispose]: () => undefined }),
  refresh: async () => undefined,
  started: Promise.resolve(),
  close: () => undefined,
};
const clock = { now: () => (NOW_S * 1000) as EpochMs, monotonic: () => 0 as MonotonicMs };
const verifiers = [support, particular].map((issuer) => ({
  issuer,
  verify: createTokenVerifier({ issuer, audience: AUDIENCE, keys, clock }),
}));

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const HEADER_DRIVEN = ['crit', 'b64', 'jwk', 'jku', 'x5u', 'x5c', 'enc', 'zip', 'epk', 'p2s', 'p2c'];

function run(input: string): string {
  if (input.startsWith('claims ')) return readClaims(textOf(input.slice(7)));
  return readAny(input.startsWith('plain ') ? compact(input.slice(6)) : input);
}

function compact(text: string): string {
  const [head = '', body = '', bytes = '', rest = ''] = text.split('\n');
  const parts = [head, body].map((part) => Buffer.from(part, 'latin1'));
  const token = [...parts, Buffer.alloc(Math.trunc(Math.abs(Number(bytes)) % 1100) || 0)]
    .map((part) => part.toString('base64url'))
    .join('.');
  return token + rest;
}

function readAny(input: string): string {
  const read = readToken(input);
  const loose = looselyReadIssuer(input);
  const lax = laxIssuer(input);
  if (lax !== null && loose !== lax)
    broken('finds the issuer that a lax parser finds', { input, loose, lax });
  if ('reason' in read) return `refused: ${read.note ?? read.reason} ${loose === null ? '' : 'of somebody'}`;
  if (loose !== read.issuer) broken('both readings find one issuer', { input, strict: read.issuer, loose });
  const parts = input.split('.');
  if (parts.length !== 3 || input.length > 16_384) broken('is a compact JWS', input);
  for (const part of parts) {
    if (Buffer.from(part, 'base64url').toString('base64url') !== part)
      broken('has one spelling', { input, part });
  }
  const header: unknown = JSON.parse(decoded(parts[0]));
  if (!isJsonObject(header) || header['alg'] !== read.algorithm)
    broken('has the algorithm it says', { input });
  if (HEADER_DRIVEN.some((one) => Object.hasOwn(header, one)))
    broken('drives nothing by its header', { input });
  if (JSON.stringify(JSON.parse(decoded(parts[1]))) !== JSON.stringify(read.claims))
    broken('claims what it says', { input });
  if (parts.slice(0, 2).some((part) => hasRepeatedMembers(decoded(part))))
    broken('says nothing twice', { input });
  checkHeader(header, read.keyId);
  const wanted = verifiers.map((one) => asksForKey(one, { token: input, header, read }));
  return `read ${read.algorithm.slice(0, 5)} ${read.keyId === null ? '' : 'kid'} ${wanted.join(' ')} ${people(read.claims)}`;
}

/** RFC 7515 sections 4.1.4 and 4.1.9: other kinds of JWT are no credentials, and a key's name is short, visible text. */
function checkHeader(header: Claims, keyId: string | null): void {
  const { typ = 'JWT', kid = null } = header;
  if (typeof typ !== 'string' || !/^(?:application\/)?(?:at\+)?jwt$/i.test(typ))
    broken('is an access token', { typ });
  if (kid !== keyId || (keyId !== null && !/^\P{Cc}{1,256}$/u.test(keyId)))
    broken('names its key in plain text', { kid });
}

function asksForKey(
  { issuer, verify }: (typeof verifiers)[number],
  {
    token,
    header,
    read,
  }: { readonly token: string; readonly header: Claims; readonly read: UnverifiedToken },
): boolean {
  const before = asked;
  void verify(token, read);
  const isAsked = asked > before;
  const said = { header, claims: read.claims, signatureBytes: read.signatureBytes };
  if (isAsked !== deservesKey(said, { issuer, audience: AUDIENCE, nowMs: NOW_S * 1000 }))
    broken('asks for a key exactly where form, audience and dates hold', {
      header,
      claims: read.claims,
      isAsked,
    });
  return isAsked;
}

function decoded(part = ''): string {
  return Buffer.from(part, 'base64url').toString('utf8');
}

/** A parser that takes both alphabets, padding and stray characters, and the last of equal members. */
function laxIssuer(token: string): string | null {
  const [head = '', body] = token.split('.');
  if (head === '' || body === undefined) return null;
  try {
    const claims: unknown = JSON.parse(Buffer.from(body, 'base64').toString('utf8'));
    const issuer = isJsonObject(claims) ? claims['iss'] : null;
    return typeof issuer === 'string' ? issuer : null;
  } catch {
    return null;
  }
}

function readClaims(text: string): string {
  const claims = parseStrictObject(text);
  if (claims === null) return 'no claims';
  if (hasRepeatedMembers(text)) broken('says nothing twice', { text });
  return people(claims);
}

type Claims = Parameters<typeof readPrincipal>[1];

function people(claims: Claims): string {
  const results = [
    readPrincipal(support, claims),
    readPrincipal(nested, claims),
    readCustomer(customers, claims),
  ];
  return results.map((one) => ('reason' in one ? (one.note ?? one.reason) : checkPerson(one))).join(', ');
}

type Person = Exclude<
  ReturnType<typeof readPrincipal> | ReturnType<typeof readCustomer>,
  { readonly reason: string }
>;

function checkPerson(person: Person): string {
  const { id, email, name } = person;
  const lists = 'groups' in person ? [person.groups] : [person.permissions, person.products];
  for (const text of [id, email ?? 'a@b', ...lists.flat(), 'tenant' in person ? person.tenant : 'acme']) {
    const isSound =
      typeof text === 'string' &&
      text !== '' &&
      text === text.trim() &&
      text.isWellFormed() &&
      !INVISIBLE.test(text);
    if (!isSound || text.length > 320) broken('identifiers are visible text', { person });
  }
  if (email !== null && (/\s/.test(email) || email.split('@').length > 2))
    broken('an address has one @ at the most', { email });
  if (name !== null && /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(name))
    broken('a name steers no terminal', { name });
  if (!Object.isFrozen(person) || !lists.every((list) => Object.isFrozen(list)))
    broken('is frozen', { person });
  if (lists.some((list) => new Set(list).size !== list.length)) broken('lists nothing twice', { lists });
  if ('admin' in person && typeof person.admin !== 'boolean') broken('an admin is or is none', { person });
  return 'somebody';
}

const MEMBERS = [
  'iss',
  'sub',
  'aud',
  'exp',
  'iat',
  'nbf',
  'azp',
  'email',
  'email_verified',
  'xms_edov',
  'name',
  'groups',
  'org',
  'org_id',
  'is_admin',
  'permissions',
  '_claim_names',
  'hasgroups',
  'realm',
  'https://app.example/id',
  '__proto__',
  'constructor',
];
const HEADER_MEMBERS = ['alg', 'typ', 'kid', ...HEADER_DRIVEN];
const TEXTS = [
  ISSUER,
  'user-1',
  'anna@vendor.example',
  'a@b@c',
  '\u202e',
  '\0',
  '',
  ' a',
  'support',
  'ES256',
  'none',
  'HS256',
  'JWT',
  'at+jwt',
  'application/jwt',
  'vendor',
  'acme',
  '\ud800',
  'a\u200db',
  '\r\n',
  AUDIENCE,
  'partner',
  'portal',
  String(NOW_S + 60),
];
const DATES = [NOW_S, NOW_S + 60, NOW_S + 30, NOW_S - 30, NOW_S - 86_430, NOW_S - 29.5, 1e11];

const leaf = fc.oneof(
  fc.constantFrom<unknown>(...TEXTS, ...DATES, true, false, null, 1, 0, 1.5, 1e300, -1, {}, []),
  fc.array(fc.constantFrom(...TEXTS), { maxLength: 3 }),
  fc.string({ maxLength: 6, unit: 'binary' }),
);
const claims = fc
  .dictionary(
    fc.constantFrom(...MEMBERS),
    fc.oneof(leaf, fc.dictionary(fc.constantFrom('groups', 'roles'), leaf, { maxKeys: 2 })),
    { maxKeys: 10 },
  )
  .map((one) => Object.assign({ iss: ISSUER, sub: 'user-1' } as Record<string, unknown>, one));
/** Most of what is looked at early holds, so that the rest is looked at. */
const OURS = { aud: AUDIENCE, exp: NOW_S + 60, iat: NOW_S - 60, azp: 'portal' };
const header = fc
  .dictionary(fc.constantFrom(...HEADER_MEMBERS), leaf, { maxKeys: 3 })
  .map((one) =>
    Object.keys(one).length % 2 === 0 ? Object.assign({ alg: 'ES256' } as Record<string, unknown>, one) : one,
  );
const token = fc
  .tuple(header, claims, fc.constantFrom('c2ln', 'c2ln.x.y', '', '='))
  .map(([head, body, rest]) => `${encoded(head)}.${encoded(body)}.${rest}`);

/** What spoils a credential, or just does not. */
const SPOILING: readonly Readonly<Record<string, unknown>>[] = [
  ...[AUDIENCE, 'partner', 'x', 1].flatMap((one) => [{ aud: one }, { aud: [one] }, { aud: [AUDIENCE, one] }]),
  ...['exp', 'iat', 'nbf'].flatMap((name) =>
    DATES.flatMap((date) => [{ [name]: date }, { [name]: String(date) }, { [name]: [date] }]),
  ),
  ...['portal', 'x', ['portal'], null].map((azp) => ({ azp })),
  { iat: undefined, nbf: NOW_S + 60 },
];
const HEADS: readonly object[] = [
  {},
  ...['k1', 'k'.repeat(256), 'k'.repeat(257), 'k\n', ''].map((kid) => ({ kid })),
  ...['JWT', 'at+jwt', 'application/at+jwt', 'logout+jwt', 'text/jwt'].map((typ) => ({ typ })),
];
/** Said before what is said again, in one spelling or another. */
const TWICE: readonly string[] = ['"aud":"x",', '"\\u0061ud":"x",', '"iss":"x",', '"is\\u0073":"x",'];
const plain = fc
  .tuple(
    fc.constantFrom('ES256', 'RS256', 'PS256', 'EdDSA', 'es256', 'none', 'HS256'),
    fc.oneof(fc.constantFrom(...HEADS), header),
    fc.oneof(fc.constant({}), claims),
    fc.array(fc.constantFrom(...SPOILING), { maxLength: 2 }),
    fc.constantFrom(64, 64, 64, 63, 256, 1024, 1025),
    fc.constantFrom('', '', '', ...TWICE),
    fc.constantFrom('', '', '', '', '=', '==', ' ', '\0', '.', 'A', 'B'),
  )
  .map(([alg, head, body, spoiling, bytes, twice, rest]) => {
    const said = Object.assign({ iss: ISSUER, ...OURS }, body, ...spoiling) as object;
    return `plain ${JSON.stringify(Object.assign({ alg }, head))}\n{${twice}${JSON.stringify(said).slice(1)}\n${bytes}\n${rest}`;
  });

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

export const target: FuzzTarget = {
  name: 'token',
  dictionary: [
    ...MEMBERS.map((one) => `"${one}":`),
    ...TEXTS.map((one) => JSON.stringify(one)),
    ...HEADER_MEMBERS,
    '.',
    '=',
    '-',
    '_',
    '+',
    '/',
    'claims ',
    '[[[[[[[[',
    '{"a":{"a":',
    '\\u0069',
    ...TWICE,
  ].map(bytesOf),
  fresh: fc.oneof(
    token,
    plain.map(bytesOf),
    claims.map((one) => bytesOf(`claims ${JSON.stringify(one)}`)),
  ),
  seeds: () => [
    `claims {"iss":"${ISSUER}","sub":"user-1","email":"anna@vendor.example","groups":["support"],"org":"vendor","org_id":"acme"}`,
    ...['ES256', 'RS256', 'EdDSA'].map(
      (alg) =>
        `plain {"alg":"${alg}","typ":"JWT","kid":"k1"}\n${JSON.stringify({ iss: ISSUER, sub: 'user-1', ...OURS })}\n${alg === 'RS256' ? 256 : 64}`,
    ),
  ],
  batch: 2000,
  open: synchronous(run, 50),
};
