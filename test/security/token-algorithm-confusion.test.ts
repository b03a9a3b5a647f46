// Class 23, corpus row AU01: tokens that choose their own algorithm, key, format or processing (GHSA-jc38-x7x8-2xc8,
// CVE-2022-36083, CVE-2024-28176, CVE-2022-23540, CVE-2022-21449). Each must be refused, before any signature is
// computed wherever the form alone gives it away, and an unknown key id must not become a lever on the provider.
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { authnBench, type AuthnBench, noteOf, outcome } from '../support/authn-bench.ts';
import { base64url, keySetOf, makeKey, signToken, type TestKey } from '../support/authn-keys.ts';

afterEach(() => void vi.restoreAllMocks());

/** How a token is answered, and how often a signature was computed for that. */
async function attack(bench: AuthnBench, token: string): Promise<{ reason: string; signatures: number }> {
  const verify = vi.spyOn(crypto.subtle, 'verify');
  const reason = await outcome(bench.authenticator.authenticate(token));
  return { reason, signatures: verify.mock.calls.length };
}

const REFUSED_BY_FORM = { reason: 'credential_invalid', signatures: 0 };

function forge(
  bench: AuthnBench,
  header: object | string,
  signature: string | Uint8Array = Buffer.alloc(64, 1),
): string {
  const head = typeof header === 'string' ? header : JSON.stringify(header);
  return `${base64url(head)}.${base64url(JSON.stringify(bench.claims()))}.${base64url(signature)}`;
}

function hmac(bench: AuthnBench, secret: string | Buffer): string {
  const input = `${base64url('{"alg":"HS256","kid":"key-1"}')}.${base64url(JSON.stringify(bench.claims()))}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

test('the control: the same bench lets a good token through with one signature', async () => {
  using bench = await authnBench();
  expect(await attack(bench, bench.token())).toEqual({ reason: 'ok', signatures: 1 });
});

describe('algorithm', () => {
  test.each([
    'none',
    'None',
    'NONE',
    'nOnE',
    '',
    'HS256',
    'ES256K',
    'es256',
    'RS1',
    'ES384',
    'Ed25519',
    '__proto__',
  ])('refuses alg %j', async (alg) => {
    using bench = await authnBench();
    expect(await attack(bench, forge(bench, { alg, kid: 'key-1' }))).toEqual(REFUSED_BY_FORM);
  });

  test.each([undefined, null, 0, true, ['ES256'], { ES256: 1 }])('refuses an alg that is %j', async (alg) => {
    using bench = await authnBench();
    expect(await attack(bench, forge(bench, { alg, kid: 'key-1' }))).toEqual(REFUSED_BY_FORM);
  });

  test('refuses an unsecured token whose signature is empty', async () => {
    using bench = await authnBench();
    for (const alg of ['none', 'ES256']) {
      expect(await attack(bench, forge(bench, { alg, kid: 'key-1' }, ''))).toEqual(REFUSED_BY_FORM);
    }
  });

  test('refuses HS256 with the public key as its secret, in every form of that key', async () => {
    using bench = await authnBench({ algorithm: 'RS256' });
    const { publicKey, jwk } = bench.key;
    const secrets = [
      publicKey.export({ format: 'pem', type: 'spki' }),
      publicKey.export({ format: 'der', type: 'spki' }),
      publicKey.export({ format: 'pem', type: 'pkcs1' }),
      JSON.stringify(jwk),
      Buffer.from(jwk.n as string, 'base64url'),
    ];
    for (const secret of secrets) expect(await attack(bench, hmac(bench, secret))).toEqual(REFUSED_BY_FORM);
  });

  test('refuses an algorithm that the issuer has a key for but is not allowed', async () => {
    using bench = await authnBench({ issuer: { algorithms: ['ES256'] } });
    const rsa = makeKey('RS256', 'key-2');
    bench.source.document = keySetOf(bench.key, rsa);
    await bench.keys.refresh();
    expect(await attack(bench, signToken(rsa, bench.claims()))).toEqual(REFUSED_BY_FORM);
  });

  test('refuses an RS256 key that is used as PS256', async () => {
    using bench = await authnBench({ algorithm: 'RS256' });
    const crossed = { ...bench.key, algorithm: 'PS256' };
    expect(await attack(bench, signToken(crossed, bench.claims()))).toEqual(REFUSED_BY_FORM);
  });
});

describe('signature', () => {
  test('refuses zeros for r and s under ES256', async () => {
    using bench = await authnBench();
    const { reason } = await attack(bench, forge(bench, { alg: 'ES256', kid: 'key-1' }, Buffer.alloc(64)));
    expect(reason).toBe('credential_invalid');
  });

  test('refuses zeros under RS256 and under EdDSA', async () => {
    for (const [algorithm, size] of [
      ['RS256', 256],
      ['EdDSA', 64],
    ] as const) {
      using bench = await authnBench({ algorithm });
      const { reason } = await attack(
        bench,
        forge(bench, { alg: algorithm, kid: 'key-1' }, Buffer.alloc(size)),
      );
      expect(reason).toBe('credential_invalid');
    }
  });

  test.each([1, 63, 65, 72, 255, 256, 1025])('refuses an ES256 signature of %d bytes', async (size) => {
    using bench = await authnBench();
    const forged = forge(bench, { alg: 'ES256', kid: 'key-1' }, Buffer.alloc(size, 1));
    expect(await attack(bench, forged)).toEqual(REFUSED_BY_FORM);
  });

  test('refuses an RS256 signature by a key of 1024 bits, though the provider publishes it', async () => {
    using bench = await authnBench();
    const weak = makeKey('RS256', 'weak', 1024);
    bench.source.document = keySetOf(bench.key, weak);
    await bench.keys.refresh();
    expect(await attack(bench, signToken(weak, bench.claims()))).toEqual(REFUSED_BY_FORM);
  });

  test('refuses another key under the known kid', async () => {
    using bench = await authnBench();
    const impostor = makeKey('ES256', 'key-1');
    expect(await outcome(bench.authenticator.authenticate(signToken(impostor, bench.claims())))).toBe(
      'credential_invalid',
    );
  });

  test('refuses every change of one character', async () => {
    using bench = await authnBench();
    const token = bench.token();
    for (let i = 0; i < token.length; i += 7) {
      const changed = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1);
      expect(await outcome(bench.authenticator.authenticate(changed))).not.toBe('ok');
    }
  });

  test('keeps nothing of a good token for one with the same header and payload and another signature', async () => {
    using bench = await authnBench();
    const token = bench.token();
    await bench.authenticator.authenticate(token);
    const changed = `${token.slice(0, -10)}AAAAAAAAAA`;
    expect(await outcome(bench.authenticator.authenticate(changed))).toBe('credential_invalid');
  });
});

describe('key id', () => {
  test.each([
    'nobody',
    '../../../../dev/null',
    "' OR 1=1 --",
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'https://evil.example/jwks',
    'KEY-1',
  ])('refuses kid %j', async (kid) => {
    using bench = await authnBench();
    expect(await attack(bench, forge(bench, { alg: 'ES256', kid }))).toEqual(REFUSED_BY_FORM);
  });

  test.each([7, null, {}, ['key-1'], '', 'a\u0000b', 'key-1\n', 'k'.repeat(257)])(
    'refuses a kid that is %j',
    async (kid) => {
      using bench = await authnBench();
      expect(await attack(bench, forge(bench, { alg: 'ES256', kid }))).toEqual(REFUSED_BY_FORM);
      expect(bench.source.loads).toBe(1);
    },
  );

  test('a flood of unknown ones fetches once per interval and computes no signature', async () => {
    using bench = await authnBench();
    const verify = vi.spyOn(crypto.subtle, 'verify');
    const flood = Array.from({ length: 500 }, (_, i) => forge(bench, { alg: 'ES256', kid: `kid-${i}` }));
    const reasons = await Promise.all(flood.map((token) => outcome(bench.authenticator.authenticate(token))));
    expect(new Set(reasons)).toEqual(new Set(['credential_invalid']));
    expect(bench.source.loads).toBe(2);
    expect(verify).not.toHaveBeenCalled();
  });
});

describe('header members that choose a key or another processing', () => {
  const own = { alg: 'ES256', kid: 'key-1' };
  const attacker = makeKey('ES256', 'key-1');
  const members: [string, unknown][] = [
    ['jwk', attacker.jwk],
    ['jku', 'https://evil.example/jwks'],
    ['x5u', 'https://evil.example/cert.pem'],
    ['x5c', ['MIIB']],
    ['crit', ['x']],
    ['crit', []],
    ['crit', ['b64']],
    ['b64', false],
    ['b64', true],
    ['zip', 'DEF'],
    ['enc', 'A256GCM'],
    ['p2c', 2147483647],
    ['p2s', 'AAAA'],
    ['epk', attacker.jwk],
  ];
  test.each(members)('refuses %s: %j, signed by the attacker', async (name, value) => {
    using bench = await authnBench();
    const token = signToken(attacker, bench.claims(), { ...own, [name]: value });
    expect(await attack(bench, token)).toEqual(REFUSED_BY_FORM);
  });

  test.each(members)('refuses %s: %j, even signed by the issuer', async (name, value) => {
    using bench = await authnBench();
    expect(await attack(bench, bench.token({}, { ...own, [name]: value }))).toEqual(REFUSED_BY_FORM);
  });

  test.each([
    'secevent+jwt',
    'logout+jwt',
    'dpop+jwt',
    'postern-assertion+jwt',
    'JWE',
    '',
    'at+jwt ',
    7,
    null,
    ['JWT'],
  ])('refuses typ %j: another kind of token of the same issuer', async (typ) => {
    using bench = await authnBench();
    expect(await attack(bench, bench.token({}, { ...own, typ }))).toEqual(REFUSED_BY_FORM);
  });
});

describe('format', () => {
  test('refuses five parts (JWE), with a huge PBES2 count and with compression', async () => {
    using bench = await authnBench();
    for (const header of [
      { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2147483647, p2s: 'AAAA' },
      { alg: 'RSA-OAEP', enc: 'A256GCM', zip: 'DEF' },
      { alg: 'dir', enc: 'A256GCM' },
    ]) {
      const token = `${base64url(JSON.stringify(header))}.AAAA.AAAA.AAAA.AAAA`;
      expect(await attack(bench, token)).toEqual(REFUSED_BY_FORM);
      expect(await noteOf(bench.authenticator.authenticate(token))).toBe('the token is encrypted');
    }
  });

  test('refuses the JSON serialisations', async () => {
    using bench = await authnBench();
    const [head, payload, signature] = bench.token().split('.');
    const flattened = { protected: head, payload, signature };
    const general = { payload, signatures: [{ protected: head, signature }] };
    for (const value of [flattened, general]) {
      expect(await attack(bench, JSON.stringify(value))).toEqual(REFUSED_BY_FORM);
      expect(await attack(bench, base64url(JSON.stringify(value)))).toEqual(REFUSED_BY_FORM);
    }
  });

  test.each([0, 1, 3, 4, 6, 1000])('refuses a token with %d dots more than none', async (dots) => {
    using bench = await authnBench();
    expect(await attack(bench, `a${'.a'.repeat(dots)}`)).toEqual(REFUSED_BY_FORM);
  });

  test('refuses a header of 100 KB and a token of more than 16 KiB', async () => {
    using bench = await authnBench();
    const long = forge(bench, { alg: 'ES256', kid: 'key-1', pad: 'x'.repeat(100_000) });
    expect(await attack(bench, long)).toEqual(REFUSED_BY_FORM);
    expect(
      await attack(bench, bench.token({}, { alg: 'ES256', kid: 'key-1', pad: 'x'.repeat(4000) })),
    ).toEqual(REFUSED_BY_FORM);
    expect(await attack(bench, bench.token({ pad: 'x'.repeat(13_000) }))).toEqual(REFUSED_BY_FORM);
  });

  test.each([
    ['alg twice', '{"alg":"none","alg":"ES256","kid":"key-1"}'],
    ['alg twice, once escaped', '{"alg":"ES256","kid":"key-1","\\u0061lg":"none"}'],
    ['kid twice', '{"alg":"ES256","kid":"other","kid":"key-1"}'],
    ['a nested name twice', '{"alg":"ES256","kid":"key-1","x":{"a":1,"a":2}}'],
  ])('refuses a header with %s, even signed by the issuer', async (_, header) => {
    using bench = await authnBench();
    expect(await attack(bench, bench.token({}, header))).toEqual(REFUSED_BY_FORM);
  });

  test.each([
    ['iss twice', (json: string) => json.replace('{', '{"iss":"https://evil.example",')],
    ['sub twice', (json: string) => json.replace(/}$/, ',"sub":"admin"}')],
    ['33 levels', (json: string) => json.replace(/}$/, `,"x":${'['.repeat(33)}${']'.repeat(33)}}`)],
    ['a byte order mark', (json: string) => `\ufeff${json}`],
  ])('refuses a payload with %s, even signed by the issuer', async (_, change) => {
    using bench = await authnBench();
    const payload = change(JSON.stringify(bench.claims()));
    expect(await attack(bench, signToken(bench.key, payload))).toEqual(REFUSED_BY_FORM);
  });

  test.each(['null', '[]', '"x"', '7', '', '{', '{"alg":"ES256"}x', "{'alg':'ES256'}"])(
    'refuses the header %j',
    async (header) => {
      using bench = await authnBench();
      expect(await attack(bench, bench.token({}, header))).toEqual(REFUSED_BY_FORM);
    },
  );

  test('refuses bytes that are not UTF-8', async () => {
    using bench = await authnBench();
    const header = Buffer.concat([
      Buffer.from('{"alg":"ES256","kid":"key-1","x":"'),
      Buffer.of(0xff),
      Buffer.from('"}'),
    ]);
    const token = `${header.toString('base64url')}.${bench.token().split('.').slice(1).join('.')}`;
    expect(await attack(bench, token)).toEqual(REFUSED_BY_FORM);
  });

  test('refuses encodings that are not the one canonical base64url, so that a token has one string', async () => {
    using bench = await authnBench();
    const token = bench.token();
    const last = token.slice(-1);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // 64 bytes leave four unused bits in the last character: a lax decoder ignores them.
    const stray = alphabet[alphabet.indexOf(last) ^ 1] as string;
    const variants = [
      `${token}=`,
      `${token}==`,
      ` ${token}`,
      `${token} `,
      `${token}\n`,
      token.replace('.', '.\u0000'),
      token.slice(0, -1) + stray,
    ];
    for (const variant of variants) expect(await attack(bench, variant)).toEqual(REFUSED_BY_FORM);
  });
});

test('an RSA key of the attacker inside the token is never looked at', async () => {
  using bench = await authnBench({ algorithm: 'RS256' });
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const attacker: TestKey = { kid: null, algorithm: 'RS256', publicKey, privateKey, jwk: {} };
  const jwk = publicKey.export({ format: 'jwk' });
  expect(await attack(bench, signToken(attacker, bench.claims(), { alg: 'RS256', jwk }))).toEqual(
    REFUSED_BY_FORM,
  );
});

test('a denial says why to the log without a piece of the token', async () => {
  using bench = await authnBench();
  for (const token of [
    forge(bench, { alg: 'ES256', kid: 'secret-kid' }),
    bench.token({ sub: 'secret-sub\u0000' }),
  ]) {
    const note = await noteOf(bench.authenticator.authenticate(token));
    expect(note).not.toMatch(/secret/);
    expect(note.length).toBeGreaterThan(10);
  }
});
