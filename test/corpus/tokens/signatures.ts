// How the token cases are signed: by the right key, by others, by what is public of the right one, or not at all.
import { createHmac, type KeyObject, sign } from 'node:crypto';
import type { TokenKeys } from './token-keys.ts';

/** The signature of `input`, as bytes. */
type Signer = (input: string, keys: TokenKeys, argument: string) => Buffer;

/** Of P-256; FIPS 186-5 and SEC 2 section 2.4.2. */
const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

const SIGNERS: Readonly<Record<string, Signer>> = {
  es256: (input, keys) => ecdsa(input, keys.es256.privateKey),
  rs256: (input, keys) => sign('sha256', Buffer.from(input), keys.rs256.privateKey),
  rs512: (input, keys) => sign('sha512', Buffer.from(input), keys.rs256.privateKey),
  sha1: (input, keys) => sign('sha1', Buffer.from(input), keys.rs256.privateKey),
  ps256: (input, keys) =>
    sign('sha256', Buffer.from(input), { key: keys.rs256.privateKey, padding: 6, saltLength: 32 }),
  eddsa: (input, keys) => sign(null, Buffer.from(input), keys.eddsa.privateKey),
  weak: (input, keys) => sign('sha256', Buffer.from(input), keys.weak.privateKey),
  encrypting: (input, keys) => sign('sha256', Buffer.from(input), keys.encrypting.privateKey),
  p384: (input, keys) =>
    sign('sha384', Buffer.from(input), { key: keys.p384.privateKey, dsaEncoding: 'ieee-p1363' }),
  partner: (input, keys) => ecdsa(input, keys.partner.privateKey),
  attacker: (input, keys) => ecdsa(input, keys.attacker.privateKey),
  'attacker-rsa': (input, keys) => sign('sha256', Buffer.from(input), keys.attackerRsa.privateKey),
  /** In the form that X.509 uses and JWS does not (RFC 7518 section 3.4). */
  der: (input, keys) => sign('sha256', Buffer.from(input), keys.es256.privateKey),
  swapped(input, keys) {
    const { r, s } = halves(ecdsa(input, keys.es256.privateKey));
    return Buffer.concat([s, r]);
  },
  /** The other s that verifies just as well. */
  mirrored(input, keys) {
    const { r, s } = halves(ecdsa(input, keys.es256.privateKey));
    return Buffer.concat([r, number32(ORDER - BigInt(`0x${s.toString('hex')}`))]);
  },
  /** Of the claims alone: whoever signs less than was sent. */
  payload: (input, keys) => ecdsa(input.slice(input.indexOf('.') + 1), keys.es256.privateKey),
  'r-and-s': (_input, _keys, values) =>
    Buffer.concat(values.split(',').map((value) => number32(value === 'n' ? ORDER : BigInt(value)))),
  none: () => Buffer.alloc(0),
  bytes(_input, _keys, argument) {
    const [count = '', value = '0'] = argument.split(',');
    return Buffer.alloc(Number(count), Number(value));
  },
  /** The right signature, but so many bytes of it, or more of them. */
  cut: (input, keys, count) => ecdsa(input, keys.es256.privateKey).subarray(0, Number(count)),
  longer: (input, keys, count) =>
    Buffer.concat([ecdsa(input, keys.es256.privateKey), Buffer.alloc(Number(count))]),
  leading: (input, keys) => Buffer.concat([Buffer.alloc(1), ecdsa(input, keys.es256.privateKey)]),
  hs256: (input, keys, secret) => createHmac('sha256', secretOf(keys, secret)).update(input).digest(),
  hs512: (input, keys, secret) => createHmac('sha512', secretOf(keys, secret)).update(input).digest(),
  /** Long enough to pass for one of an RSA key. */
  'hs256-long': (input, keys, secret) =>
    Buffer.alloc(256, createHmac('sha256', secretOf(keys, secret)).update(input).digest()),
};

/** `name`, or `name:argument`. Throws when nobody signs so. */
export function signatureOf(how: string, input: string, keys: TokenKeys): Buffer {
  const [name = '', argument = ''] = how.split(':', 2);
  const signer = SIGNERS[name];
  if (signer === undefined) throw new Error(`nobody signs by ${how}`);
  return signer(input, keys, argument);
}

function ecdsa(input: string, key: KeyObject): Buffer {
  return sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
}

function halves(signature: Buffer): { r: Buffer; s: Buffer } {
  return { r: signature.subarray(0, 32), s: signature.subarray(32) };
}

function number32(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
}

/** What everybody can have of a public key, as an implementation may have stored it. */
function secretOf({ es256, rs256, eddsa }: TokenKeys, name: string): string | Buffer {
  const { publicKey, jwk } = rs256;
  const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
  const secrets: Readonly<Record<string, () => string | Buffer>> = {
    pem: () => pem,
    'pem-no-newline': () => pem.trimEnd(),
    'pem-after-newline': () => `\n${pem}`,
    'pem-crlf': () => pem.replaceAll('\n', '\r\n'),
    'pem-body': () => pem.replaceAll(/-----[^-]+-----|\n/g, ''),
    pkcs1: () => publicKey.export({ format: 'pem', type: 'pkcs1' }),
    der: () => publicKey.export({ format: 'der', type: 'spki' }),
    'der-pkcs1': () => publicKey.export({ format: 'der', type: 'pkcs1' }),
    jwk: () => JSON.stringify(jwk),
    'jwk-ec': () => JSON.stringify(es256.jwk),
    n: () => Buffer.from(String(jwk['n']), 'base64url'),
    'n-text': () => String(jwk['n']),
    x: () => Buffer.from(String(es256.jwk['x']), 'base64url'),
    'pem-ec': () => es256.publicKey.export({ format: 'pem', type: 'spki' }),
    'pem-ed': () => eddsa.publicKey.export({ format: 'pem', type: 'spki' }),
    ssh: () => `ssh-rsa ${Buffer.concat([lengthed('ssh-rsa'), ...sshNumbers(jwk)]).toString('base64')}`,
    'key-set': () => JSON.stringify({ keys: [jwk] }),
    kid: () => 'key-1',
    audience: () => 'postern',
    published: () => 'published',
    empty: () => '',
    null: () => Buffer.alloc(1),
    word: () => 'secret',
  };
  const secret = secrets[name];
  if (secret === undefined) throw new Error(`no secret is called ${name}`);
  return secret();
}

/** RFC 4253 section 6.6. */
function sshNumbers(jwk: Readonly<Record<string, unknown>>): Buffer[] {
  return ['e', 'n'].map((name) => lengthed(Buffer.from(String(jwk[name]), 'base64url')));
}

function lengthed(value: string | Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  return Buffer.concat([length, Buffer.from(value as string)]);
}
