// The contract of the upstream room: send what was judged, stream both ways, and be cut at any moment.
// Assumes that every check has passed and the intent is on disk; it decides nothing but its own headers. Hot.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { CutReason, EndedBy } from '#model/ended-by.ts';
import type { ExchangeFacts } from '#model/exchange.ts';
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Credential } from '#model/principal.ts';
import type { DenialCode } from '#model/reason.ts';
import type { RequestTarget } from '#model/request-target.ts';
import type { Verdict } from '#model/verdict.ts';

/** An exchange that passed every check. The gateway's class satisfies it. */
export interface OutboundExchange extends ExchangeFacts {
  readonly req: IncomingMessage;
  /** The client's connection itself; under TLS the raw socket below it, which alone can be reset. */
  readonly rawSocket: Socket;
  readonly secure: boolean;
  readonly credential: Credential;
  readonly tenant: TenantId;
  readonly grant: Grant;
  readonly target: RequestTarget;
  /** Generated from the canonical target: what stands in the request line sent upstream, query included. */
  readonly upstreamPath: string;
  /** Names with `_` or `.` that the route lets pass (P8), lower case. */
  readonly allowedHeaders: readonly string[];
  /** A body that had to be read before it could be judged, sent byte for byte instead of `req`; else null. */
  readonly heldBody: Buffer | null;
  /** -1 when the body is chunked, 0 when there is none. */
  readonly contentLength: number;
  readonly maxBodyBytes: number;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Whether answers are looked at at all: without, `guardResponse` need not be asked. */
  readonly hasGuards: boolean;

  /** Set by `prepare`: name, value, name, value … exactly as sent; the connection adds the framing. */
  upstreamHeaders: string[];
  upstreamStatus: number;
  upstreamError: string | null;
  bytesIn: number;
  bytesOut: number;
  kind: 'http' | 'websocket' | 'event_stream';

  /** Asked when the request leaves the queue: time has passed since the grant was chosen. Null: go on. */
  authorityLost(): CutReason | null;
  /** The request is on its way: counts the decision's duration. */
  handedOver(): void;
  /**
   * The head of a final answer as it came (never of a 101), before anything of it is sent on. Answers how many bytes of
   * its body may follow: Infinity without a limit, negative where nothing of it may leave. What would go beyond ends
   * with `failed('response_guarded', 'guard')`, or with `ended('guard')` once the head has left.
   * `fields`: name, value, name, value …; `contentLength` -1 where it was not said.
   */
  guardResponse(status: number, fields: readonly string[], contentLength: number): number;
  /** The upstream's head arrived and is about to be sent on: published at once for streams. */
  responseStarted(status: number): void;
  /** Nothing has been sent to the client yet: answer with this reason. Counts as the end of the exchange. */
  failed(reason: DenialCode, endedBy: EndedBy): void;
  /** The response is complete, or both sides are gone. Exactly once; later calls are ignored. */
  ended(endedBy: EndedBy): void;
}

export interface HttpExchange extends OutboundExchange {
  readonly res: ServerResponse;
}

export interface UpgradeExchange extends OutboundExchange {
  /** The client's side of the tunnel. */
  readonly socket: Duplex;
  /** Bytes that came with the handshake; not empty is `bad_framing` and never gets here. */
  readonly head: Buffer;
}

/** A forward in progress. One per exchange, kept by it. */
export interface Transfer {
  /**
   * Ends it on both sides, synchronously. Without a response head the caller has answered or will answer; with
   * one, a last word where the protocol has a place (an event on an unencoded event stream, WebSocket close
   * 4403), then both sockets are reset.
   */
  cut(reason: CutReason): void;
  /**
   * The client's connection closed, or its parser failed mid-body: the gateway watches it once per connection, so
   * the forwarder needs no listener of its own for that. Resets the upstream's side; says nothing, calls nothing
   * back: the gateway has ended the exchange.
   */
  clientGone(): void;
}

export interface Forwarder {
  /** Builds the upstream's headers. The last check before the record: it may refuse (`bad_header`, `internal`). */
  prepare(x: OutboundExchange): Verdict | Promise<Verdict>;
  forward(x: HttpExchange): Transfer;
  upgrade(x: UpgradeExchange): Transfer;
  /** JSON Web Key Set of the assertion's public keys (RFC 7517), for `/-/postern/jwks.json`. */
  readonly jwks: string;
  close(): Promise<void>;
}
