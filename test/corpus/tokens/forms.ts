// What is done to a finished token: other serialisations, more parts and fewer, and spellings that a lax decoder takes for
// the same bytes.

type Form = (token: string, argument: string) => string;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const FORMS: Readonly<Record<string, Form>> = {
  // RFC 7515 section 7.2.
  flattened: (token) => JSON.stringify(flattened(token)),
  general(token) {
    const { payload, ...signature } = flattened(token);
    return JSON.stringify({ payload, signatures: [signature] });
  },
  /** The attacker's claims in one serialisation, the issuer's in the other. */
  'both-serialisations': (token) => `{"  ${token}":"","payload":"e30"}`,
  encoded: (token) => Buffer.from(token).toString('base64url'),
  parts: (token, count) => [...token.split('.'), 'AAAA', 'AAAA', 'AAAA'].slice(0, Number(count)).join('.'),
  dots: (token, count) => token + '.'.repeat(Number(count)),
  'leading-dot': (token) => `.${token}`,
  // RFC 7515 appendix F.
  detached: (token) => withPart(token, 1, ''),
  headless: (token) => withPart(token, 0, ''),
  unsigned: (token) => withPart(token, 2, ''),
  'raw-header': (token) => withPart(token, 0, Buffer.from(part(token, 0), 'base64url').toString('latin1')),
  'raw-claims': (token) => withPart(token, 1, Buffer.from(part(token, 1), 'base64url').toString('latin1')),
  'header-of-two': (token) => `${part(token, 0)}.${token}`,
  reversed: (token) => token.split('.').toReversed().join('.'),
  padded: (token) =>
    token
      .split('.')
      .map((text) => text.padEnd(Math.ceil(text.length / 4) * 4, '='))
      .join('.'),
  'end-padded': (token) => `${token}=`,
  'standard-alphabet': (token) => token.replaceAll('-', '+').replaceAll('_', '/'),
  /** The unused bits of the last character, which a lax decoder does not look at. */
  'stray-bits': (token) => token.slice(0, -1) + (ALPHABET[ALPHABET.indexOf(token.slice(-1)) ^ 1] ?? ''),
  'stray-bits-of-header'(token) {
    const header = part(token, 0);
    return withPart(token, 0, header.slice(0, -1) + (ALPHABET[ALPHABET.indexOf(header.slice(-1)) ^ 1] ?? ''));
  },
  inserted: (token, code) => token.replace('.', `${String.fromCharCode(Number(code))}.`),
  'inserted-in-signature': (token, code) =>
    `${token.slice(0, -8)}${String.fromCharCode(Number(code))}${token.slice(-8)}`,
  appended: (token, code) => token + String.fromCharCode(Number(code)),
  'percent-dots': (token) => token.replaceAll('.', '%2e'),
  'wide-dots': (token) => token.replaceAll('.', Buffer.from('\uff0e').toString('latin1')),
  quoted: (token) => `"${token}"`,
  lower: (token) => token.toLowerCase(),
  twice: (token) => `${token}${token}`,
  'with-scheme': (token) => `Bearer.${token}`,
};

/** `name`, or `name:argument`. Throws when nobody knows it. */
export function formed(token: string, names: readonly string[]): string {
  return names.reduce((text, how) => {
    const [name = '', argument = ''] = how.split(':', 2);
    const form = FORMS[name];
    if (form === undefined) throw new Error(`no form is called ${how}`);
    return form(text, argument);
  }, token);
}

function part(token: string, index: number): string {
  return token.split('.')[index] ?? '';
}

function withPart(token: string, index: number, text: string): string {
  return token.split('.').with(index, text).join('.');
}

function flattened(token: string): { protected: string; payload: string; signature: string } {
  const [head = '', payload = '', signature = ''] = token.split('.');
  return { protected: head, payload, signature };
}
