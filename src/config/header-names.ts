// Names of request headers in configuration: which ones may never be read or set by it. Pure and cold.
// What the upstream room refuses to inject is refused here too, with a place in the file; a test compares the two.

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** They belong to the connection or to the framing of the message (RFC 9110 sections 7.6.1 and 8.6, RFC 9112). */
const RESERVED = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What the gate says itself to the upstream about each request. */
const SET_BY_THE_GATE = new Set([
  'via',
  'x-request-id',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
]);

/** What is wrong with the name of a header that the gate reads; null when nothing is. */
export function headerNameProblem(name: string): string | null {
  if (!TOKEN.test(name)) return 'is not a header name';
  return RESERVED.has(name.toLowerCase()) ? 'belongs to the connection and cannot be used here' : null;
}

/** What is wrong with the name of a header that the configuration sets; null when nothing is. */
export function injectedNameProblem(name: string): string | null {
  const problem = headerNameProblem(name);
  if (problem !== null) return problem;
  return SET_BY_THE_GATE.has(name.toLowerCase()) ? 'is set by the gate itself' : null;
}

/** What describes the body or its signature, which the sink sets itself. */
const SET_BY_THE_SINK = /^(?:content-(?:type|encoding)|webhook-.*)$/;

/** What is wrong with the name of a header that a sink is told to send; null when nothing is. */
export function sinkHeaderProblem(name: string): string | null {
  const problem = headerNameProblem(name);
  if (problem !== null) return problem;
  return SET_BY_THE_SINK.test(name.toLowerCase()) ? 'is set by the sink itself' : null;
}
