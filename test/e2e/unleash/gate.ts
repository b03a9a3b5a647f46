// Support's way in: requests through Postern's data listener, each with a trace id of its own so that its record
// can be found, each remembered so that at the end all of them can be held against the records.
import { randomBytes } from 'node:crypto';
import type { Answer, HttpClient } from './http.ts';

interface Refusal {
  readonly requestId: string;
  readonly reason: string;
  /** Null for a refusal that is no rule's. */
  readonly rule: string | null;
}

export interface Asked {
  readonly traceId: string;
  readonly tenant: string;
  readonly method: string;
  readonly path: string;
  readonly withCredential: boolean;
  readonly status: number;
  /** Null when the answer came from the application. */
  readonly refusal: Refusal | null;
}

export interface Gate {
  /** Everything asked so far, in order. */
  readonly asked: readonly Asked[];
  ask(
    method: string,
    path: string,
    more?: {
      readonly json?: unknown;
      readonly tenant?: string;
      readonly anonymous?: boolean;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ): Promise<Answer & Asked>;
}

interface ProblemDocument {
  readonly requestId?: string;
  readonly reason?: string;
  readonly rule?: { readonly id: string };
}

/**
 * Postern's own answers are problem+json with a reason, which Unleash never sends. An answer to HEAD has no body:
 * there the type alone decides, and the reason is empty.
 */
function refusalIn(answer: Answer): Refusal | null {
  const type = String(answer.headers['content-type'] ?? '');
  if (!type.startsWith('application/problem+json')) return null;
  if (answer.text === '') return { requestId: '', reason: '', rule: null };
  const problem = JSON.parse(answer.text) as ProblemDocument;
  return {
    requestId: problem.requestId ?? '',
    reason: problem.reason ?? '',
    rule: problem.rule?.id ?? null,
  };
}

export function createGate(deps: {
  readonly http: HttpClient;
  readonly port: number;
  readonly tenant: string;
  readonly staffToken: string;
}): Gate {
  const asked: Asked[] = [];
  return {
    asked,
    async ask(method, path, more = {}) {
      const tenant = more.tenant ?? deps.tenant;
      const traceId = randomBytes(16).toString('hex');
      const answer = await deps.http.send({
        port: deps.port,
        method,
        path,
        json: more.json,
        headers: {
          host: `${tenant}.unleash.test`,
          traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
          ...(more.anonymous === true ? {} : { authorization: `Bearer ${deps.staffToken}` }),
          ...more.headers,
        },
      });
      const withCredential = more.anonymous !== true;
      const refusal = refusalIn(answer);
      const entry = { traceId, tenant, method, path, withCredential, status: answer.status, refusal };
      asked.push(entry);
      return { ...answer, ...entry };
    },
  };
}
