// What generators start from: requests that the policy of the corpus denies as they are plainly written, and their
// neighbours that it does not. Pure data.

export interface Sample {
  readonly rule: string;
  readonly method: string;
  readonly path: string;
  /** With its `?`; empty for none. */
  readonly query: string;
}

/** At least one for every rule of `CORPUS_POLICY` that needs no body. */
export const DENIED_SAMPLES: readonly Sample[] = [
  { rule: 'd1', method: 'GET', path: '/exports', query: '' },
  { rule: 'd1', method: 'GET', path: '/exports/customers', query: '' },
  { rule: 'd2', method: 'POST', path: '/api/v1/emails/send', query: '' },
  { rule: 'd3', method: 'GET', path: '/billing', query: '' },
  { rule: 'd3', method: 'GET', path: '/billing/invoices/7', query: '' },
  { rule: 'd4', method: 'GET', path: '/reports', query: '?format=csv' },
  { rule: 'd4', method: 'GET', path: '/reports', query: '?format=xlsx' },
  { rule: 'm1', method: 'DELETE', path: '/records/7', query: '' },
  { rule: 'd7', method: 'GET', path: '/v1/customers:export', query: '' },
  { rule: 'd7', method: 'GET', path: '/v1/$export', query: '' },
  { rule: 'd7', method: 'GET', path: '/v1/Export()', query: '' },
];

/** One plain request, `<HEAD>` and nothing more. */
export function plainRequest(method: string, target: string): string {
  return `${method} ${target} HTTP/1.1\r\n<HEAD>\r\n\r\n`;
}
