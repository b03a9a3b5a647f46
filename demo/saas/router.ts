// A table of routes: method, path with `{name}` captures, handler. A handler returns what to send as JSON, or
// nothing when it has answered by itself. Everything below it may throw an HttpError.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Actor } from './identity.ts';
import { HttpError } from './http-error.ts';

interface RouteContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly tenant: string;
  /** Null only on routes with `open: true`. */
  readonly actor: Actor | null;
}

/** A context whose actor is known. */
export interface ActorContext extends RouteContext {
  readonly actor: Actor;
}

export interface Route {
  readonly method: string;
  readonly path: string;
  readonly handle: (context: ActorContext) => unknown;
}

export interface OpenRoute extends Omit<Route, 'handle'> {
  readonly open: true;
  readonly handle: (context: RouteContext) => unknown;
}

export type AnyRoute = Route | OpenRoute;

export interface Match {
  readonly route: AnyRoute;
  readonly params: Readonly<Record<string, string>>;
}

/** Throws 404 where no path fits and 405 where only the method does not. GET serves HEAD. */
export function matchRoute(routes: readonly AnyRoute[], method: string, pathname: string): Match {
  const segments = pathname.split('/');
  let pathFits = false;
  for (const route of routes) {
    const params = capture(route.path.split('/'), segments);
    if (params === null) continue;
    if (route.method === (method === 'HEAD' ? 'GET' : method)) return { route, params };
    pathFits = true;
  }
  throw pathFits ? new HttpError(405, 'This method is not served here.') : new HttpError(404, 'Not found.');
}

function capture(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? '';
    if (part.startsWith('{') && segment !== '') params[part.slice(1, -1)] = segment;
    else if (part !== segment) return null;
  }
  return params;
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(value));
}

export function sendCsv(response: ServerResponse, name: string, rows: readonly object[]): void {
  const lines = rows.map((row) => Object.values(row).map(csvField).join(','));
  response.writeHead(200, {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': `attachment; filename="${name}"`,
  });
  response.end([Object.keys(rows[0] ?? {}).join(','), ...lines, ''].join('\r\n'));
}

function csvField(value: unknown): string {
  return `"${String(value).replaceAll('"', '""')}"`;
}
