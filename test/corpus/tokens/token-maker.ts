// A token case made into the token that is sent: placeholders filled in, encoded, signed, and spelt as the case says.
import { fillIn } from '../../support/corpus-cases.ts';
import { formed } from './forms.ts';
import { signatureOf } from './signatures.ts';
import type { TokenKeys } from './token-keys.ts';
import type { TokenSpec } from './token-row.ts';

export interface TokenMaking {
  readonly keys: TokenKeys;
  /** Of the clock that the token is judged by. */
  readonly nowS: number;
  /** `iss` of a good token; the first issuer's by default. */
  readonly issuer?: string;
}

export const FIRST_ISSUER = 'https://idp.test';

const HEADER = '{"alg":"ES256","kid":"key-1","typ":"JWT"}';

const CLAIMS: Readonly<Record<string, string>> = {
  aud: '"postern"',
  sub: '"sam"',
  iat: '<NOW>',
  exp: '<NOW+300>',
  email: '"sam@vendor.test"',
  name: '"Sam"',
  groups: '["support"]',
};

export function makeToken(spec: TokenSpec, making: TokenMaking): string {
  const { sign = 'es256', form = [] } = spec;
  const input = `${encoded(spec.header ?? HEADER, making)}.${encoded(claimsOf(spec, making), making)}`;
  const signature = signatureOf(sign, input, making.keys).toString('base64url');
  return formed(`${input}.${signature}`, typeof form === 'string' ? [form] : form);
}

function claimsOf(spec: TokenSpec, { issuer = FIRST_ISSUER }: TokenMaking): string {
  if (spec.claims !== undefined) return spec.claims;
  const all = { iss: JSON.stringify(issuer), ...CLAIMS, ...spec.set };
  const members = Object.entries(all)
    .filter(([name]) => spec.without?.includes(name) !== true)
    .map(([name, value]) => `${JSON.stringify(name)}:${value}`);
  return `{${spec.prepend ?? ''}${members.join(',')}${spec.append ?? ''}}`;
}

/** `<NOW+61>` are seconds, `<ATTACKER_JWK>` and `<OWN_JWK>` public keys, `<hex:ff>` a byte that is no text. */
function encoded(text: string, { keys, nowS }: TokenMaking): string {
  const filled = text
    .replaceAll(/<NOW([+-]\d+)?>/g, (_whole, offset?: string) => String(nowS + Number(offset ?? 0)))
    .replaceAll('<ATTACKER_JWK>', JSON.stringify(keys.attacker.jwk))
    .replaceAll('<OWN_JWK>', JSON.stringify(keys.es256.jwk));
  const pieces = fillIn(filled, '', '').split(/<hex:([0-9a-f]+)>/);
  return Buffer.concat(
    pieces.map((piece, index) => Buffer.from(piece, index % 2 === 0 ? 'utf8' : 'hex')),
  ).toString('base64url');
}
