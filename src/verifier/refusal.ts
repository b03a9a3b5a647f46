// Why a request is not what the gate let through, and what its client is told: problem details (RFC 9457) with a code and
// nothing of the assertion. Guarantees: no refusal can be stored by a cache, and each 401 names a scheme (RFC 9110
// section 15.5.2). Cold.

const REFUSALS = {
  assertion_required: { status: 401, title: 'This route is for requests that come through the support gate' },
  assertion_invalid: { status: 401, title: 'The support assertion is not valid' },
  assertion_expired: { status: 401, title: 'The support assertion has expired' },
  assertion_tenant: { status: 403, title: 'The support assertion is for another customer' },
  assertion_unverifiable: { status: 503, title: 'The keys of the support gate cannot be read' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type AssertionRefusal = keyof typeof REFUSALS;

/** Thrown by `verify`. `code` is stable; the message quotes nothing of the assertion. */
export class AssertionRefused extends Error {
  readonly code: AssertionRefusal;
  readonly status: number;

  constructor(code: AssertionRefusal, cause?: unknown) {
    super(REFUSALS[code].title, cause === undefined ? undefined : { cause });
    this.name = 'AssertionRefused';
    this.code = code;
    this.status = REFUSALS[code].status;
  }
}

export interface RefusalAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function answerOf({ code, status, message }: AssertionRefused): RefusalAnswer {
  const type = `urn:postern:problem:${code}`;
  const body = JSON.stringify({ type, title: message, status, reason: code });
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'content-length': String(Buffer.byteLength(body)),
      'cache-control': 'no-store',
      ...(status === 401 ? { 'www-authenticate': 'Postern-Assertion' } : {}),
    },
    body,
  };
}
