// Tokens before anything is verified: the strict reading, the lax one by which a support credential is told from other
// traffic, and the people that claims make. What is read strictly is read alike by every lax parser, and whatever a lax
// parser finds an issuer in is somebody's to refuse. An input is a token; or `claims ` and JSON, read as claims.
import * as fc from 'fast-check';
import { readCustomer, readPrincipal } from '#authn/claims.ts';
import { checkCustomerIssuer, checkSupportIssuer } from '#authn/options.ts';
import { looselyReadIssuer, readToken } from '#authn/token-parts.ts';
import { isJsonObject, parseStrictObject } from '#model/strict-json.ts';
import { AUDIENCE, ISSUER, issuerOptions } from '../../support/authn-bench.ts';
import { broken, bytesOf, type FuzzTarget, synchronous, textOf } from '../fuzz-target.ts';

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

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const HEADER_DRIVEN = ['crit', 'b64', 'jwk', 'jku', 'x5u', 'x5c', 'enc', 'zip', 'epk', 'p2s', 'p2c'];

function run(input: string): string {
  if (input.startsWith('claims ')) return readClaims(textOf(input.slice(7)));
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
  return `read ${read.algorithm.slice(0, 5)} ${read.keyId === null ? '' : 'kid'} ${people(read.claims)}`;
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
];

const leaf = fc.oneof(
  fc.constantFrom<unknown>(...TEXTS, true, false, null, 1, 0, 1.5, 1e300, -1, {}, []),
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
const header = fc
  .dictionary(fc.constantFrom(...HEADER_MEMBERS), leaf, { maxKeys: 3 })
  .map((one) =>
    Object.keys(one).length % 2 === 0 ? Object.assign({ alg: 'ES256' } as Record<string, unknown>, one) : one,
  );
const token = fc
  .tuple(header, claims, fc.constantFrom('c2ln', 'c2ln.x.y', '', '='))
  .map(([head, body, rest]) => `${encoded(head)}.${encoded(body)}.${rest}`);

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
  ].map(bytesOf),
  fresh: fc.oneof(
    token,
    claims.map((one) => bytesOf(`claims ${JSON.stringify(one)}`)),
  ),
  seeds: () => [
    `claims {"iss":"${ISSUER}","sub":"user-1","email":"anna@vendor.example","groups":["support"],"org":"vendor","org_id":"acme"}`,
  ],
  batch: 2000,
  open: synchronous(run, 50),
};
