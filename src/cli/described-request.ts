// A request as people describe it to `policy explain`: `POST /api/v2/exports`, `POST https://host/path`, or a curl
// command. Nothing is normalised: the target is handed on as it would stand in the request line. Not hot.
import type { RequestHeaders } from '#policy/judge.ts';

export interface DescribedRequest {
  readonly method: string;
  readonly rawTarget: string;
  /** Empty where it was not said. */
  readonly host: string;
  /** By name in lower case; credentials included, so never printed. */
  readonly headers: RequestHeaders;
  /** Empty: none. */
  readonly body: Buffer;
  readonly upgrade: boolean;
  /** What was left out of account, for people; never a value. */
  readonly notes: readonly string[];
}

export type DescribedOrRefused = DescribedRequest | { readonly refused: readonly string[] };

const REQUEST_LINE = /^([A-Z][A-Z-]*) ([!-~]+)$/;
const URL_PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^#]*)/;

/** A request line whose target is a path or a URL. */
export function readRequestLine(text: string): DescribedOrRefused {
  const [, method, where] = REQUEST_LINE.exec(text) ?? [];
  if (method === undefined || where === undefined) {
    const forms = "'POST /api/v2/exports', 'POST https://host/path' or a curl command";
    return { refused: [`a request is an upper-case method, one space and a target: ${forms}`] };
  }
  const rest = { method, headers: new Map(), body: Buffer.alloc(0), notes: [] };
  if (!URL_PARTS.test(where)) return { ...rest, rawTarget: where, host: '', upgrade: false };
  const url = splitUrl(where);
  if (typeof url === 'string') return { refused: [url] };
  return { ...rest, rawTarget: url.rawTarget, host: url.host, upgrade: url.isSocket };
}

export interface SplitUrl {
  readonly host: string;
  /** Path and query, byte for byte; a fragment is never sent. */
  readonly rawTarget: string;
  /** `user:password`; null where there is none. */
  readonly userinfo: string | null;
  readonly isSocket: boolean;
}

/** Or what is wrong with it. */
export function splitUrl(text: string): SplitUrl | string {
  const [, scheme = '', authority = '', rest = ''] = URL_PARTS.exec(text) ?? [];
  const kind = scheme.toLowerCase();
  if (!['http', 'https', 'ws', 'wss'].includes(kind)) return 'a URL must begin with https:// or http://';
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  if (host === '') return 'the URL names no host';
  return {
    host,
    rawTarget: rest.startsWith('/') ? rest : `/${rest}`,
    userinfo: at === -1 ? null : authority.slice(0, at),
    isSocket: kind.startsWith('ws'),
  };
}

/** `Name: value`; null where it is none. */
export function splitHeaderLine(line: string): readonly [name: string, value: string] | null {
  const found = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/s.exec(line);
  return found === null ? null : [(found[1] as string).toLowerCase(), found[2] as string];
}

export function isWebSocket(headers: RequestHeaders): boolean {
  return headers.get('upgrade')?.some((value) => value.trim().toLowerCase() === 'websocket') === true;
}
