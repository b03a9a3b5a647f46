// P9, P10 and the headers that must stand alone, over raw header lists as Node hands them over.
import { describe, expect, it } from 'vitest';
import { createHeadReader, RequestHead } from '../../../src/gateway/raw-headers.ts';

const limits = { headersBytes: 1024, headerCount: 20 };

function read(rawHeaders: readonly string[], httpVersion = '1.1', tenantHeader: string | null = null) {
  const head = new RequestHead();
  const refusal = createHeadReader(limits, tenantHeader).read(rawHeaders, httpVersion, head);
  return { head, reason: refusal === null ? null : refusal.reason };
}

describe('framing (RFC 9112 section 6)', () => {
  it.each(['+5', '-0', '-5', '05', '0x5', '5_0', '5\x0b', '', '1e1', '9223372036854775808', '5, 5', '5 '])(
    'refuses Content-Length %j (FR02)',
    (value) => {
      expect(read(['Content-Length', value]).reason).toBe('bad_framing');
    },
  );

  it.each([
    'xchunked',
    'chunked, chunked',
    'chunked, gzip',
    'gzip, chunked',
    'identity',
    ',chunked',
    'chunked,',
    'chunked;x=1',
    '"chunked"',
    'chunked\x00',
    '',
  ])('refuses Transfer-Encoding %j (FR03)', (value) => {
    expect(read(['Transfer-Encoding', value]).reason).toBe('bad_framing');
  });

  it('takes a plain length and a plain chunked coding, in any case', () => {
    expect(read(['Content-Length', '5']).head.contentLength).toBe(5);
    expect(read(['content-length', '0']).head.contentLength).toBe(0);
    expect(read(['TRANSFER-ENCODING', 'Chunked']).head.contentLength).toBe(-1);
    expect(read([]).head.contentLength).toBe(0);
  });

  it('refuses both together, two of either, and chunked before HTTP/1.1 (FR01, FR02, RL12)', () => {
    expect(read(['Content-Length', '6', 'Transfer-Encoding', 'chunked']).reason).toBe('bad_framing');
    expect(read(['Transfer-Encoding', 'chunked', 'Content-Length', '6']).reason).toBe('bad_framing');
    expect(read(['Content-Length', '5', 'Content-Length', '5']).reason).toBe('bad_framing');
    expect(read(['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']).reason).toBe('bad_framing');
    expect(read(['Transfer-Encoding', 'chunked'], '1.0').reason).toBe('bad_framing');
  });
});

describe('headers that must stand alone', () => {
  it.each(['Host', 'Authorization', 'Origin', 'Sec-WebSocket-Key', 'Upgrade'])(
    'refuses a second %s',
    (name) => {
      expect(read([name, 'a', name.toLowerCase(), 'a']).reason).toBe('bad_header');
    },
  );

  it('refuses a second tenant header where tenancy is by header (class 12)', () => {
    expect(read(['X-Tenant', 'acme', 'x-tenant', 'globex'], '1.1', 'x-tenant').reason).toBe('bad_header');
    expect(read(['X-Tenant', 'acme'], '1.1', 'x-tenant').head.tenantHeader).toBe('acme');
    expect(read(['X-Tenant', 'acme', 'x-tenant', 'globex']).reason).toBeNull();
  });

  it('refuses two expectations', () => {
    expect(read(['Expect', '100-continue', 'Expect', '100-continue']).reason).toBe('expectation_failed');
  });

  it('takes what later stages ask for as it came, names in any case', () => {
    const { head } = read([
      'traceparent',
      '00-0af7-b7ad-01',
      'ACCEPT',
      'text/html',
      'User-Agent',
      'curl/8 x',
    ]);
    expect(head).toMatchObject({
      traceparent: '00-0af7-b7ad-01',
      accept: 'text/html',
      userAgent: 'curl/8 x',
    });
  });

  it('does not confuse names from the prototype with its own', () => {
    expect(read(['__proto__', 'x', 'constructor', 'y', 'hasOwnProperty', 'z']).reason).toBeNull();
  });
});

describe('limits (P10)', () => {
  it('refuses too many headers and too many bytes of them', () => {
    const many = Array.from({ length: 42 }, (_, index) => `a${index}`);
    expect(read(many).reason).toBe('headers_too_large');
    expect(read(['a', 'x'.repeat(1024)]).reason).toBe('headers_too_large');
    expect(read(['a', 'x'.repeat(1019)]).reason).toBeNull();
    expect(read(['a', 'x'.repeat(1020)]).reason).toBe('headers_too_large');
  });

  it('keeps judging correctly after more distinct names than it remembers', () => {
    const reader = createHeadReader(limits, null);
    for (let index = 0; index < 3000; index++) reader.read([`n${index}`, 'x'], '1.1', new RequestHead());
    expect(reader.read(['cOnTeNt-LeNgTh', '05'], '1.1', new RequestHead())?.reason).toBe('bad_framing');
  });
});
