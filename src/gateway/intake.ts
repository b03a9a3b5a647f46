// From a message to an exchange in its turn. Guarantees: every message becomes one exchange, counted as in flight, that is
// begun once; what may not wait any more is not judged, and still recorded. Hot: one exchange per message, nothing else.
import type { Clock } from '#model/clock.ts';
import type { DenialCode } from '#model/reason.ts';
import { deny } from '#model/verdict.ts';
import type { GatewayMetrics } from '#telemetry/gateway-metrics.ts';
import type { ClientConnection } from './client-connection.ts';
import { type ClientMessage, Exchange } from './exchange.ts';
import type { Flow } from './flow.ts';
import type { Overload } from './overload.ts';
import type { Pipeline } from './pipeline.ts';
import { nextRequestId } from './request-id.ts';

export interface Intake {
  /** False: too many are waiting and the connection must close. */
  accept(connection: ClientConnection, message: ClientMessage): boolean;
  /** For what the parser refused: recorded and answered in its turn, nothing judged. */
  refuseUnparsed(connection: ClientConnection, message: ClientMessage, reason: DenialCode): void;
  /** The connection is gone: what waits there has no turn any more, and is recorded now. */
  abandon(connection: ClientConnection): void;
  /** Its turn has come. */
  begin(x: Exchange): void;
}

export interface IntakeDeps {
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
  readonly flow: Flow;
  readonly pipeline: Pipeline;
  readonly overload: Overload;
}

export function createIntake({ clock, metrics, flow, pipeline, overload }: IntakeDeps): Intake {
  function exchangeOf(connection: ClientConnection, message: ClientMessage): Exchange {
    overload.inFlight += 1;
    const receivedAt = clock.now();
    const start = { requestId: nextRequestId(receivedAt), receivedAt, startedAt: clock.monotonic() };
    return new Exchange(flow, start, connection, message);
  }

  /** Behind another one of its connection a request only waits, and so takes memory for nothing, where all is full. */
  function mayWait(connection: ClientConnection, x: Exchange): boolean {
    if (connection.current === null || !overload.isFull || x.parserRefusal !== null) return true;
    overload.shed('in_flight');
    return false;
  }

  function admit(connection: ClientConnection, x: Exchange): boolean {
    if (mayWait(connection, x) && connection.admit(x)) return true;
    // Not judged, and still a request: it has its record and is counted.
    metrics.exchangeStarted();
    x.endedBy = 'limit';
    flow.refused(x, deny(x.parserRefusal ?? 'overloaded'));
    return false;
  }

  /** Its client has gone: a stage would wait for a body that nothing ends, and hold its room as long as it waits. */
  function leave(x: Exchange): void {
    x.endedBy = 'client';
    flow.refused(x, deny(x.parserRefusal ?? 'client_closed'));
  }

  return {
    accept(connection, message) {
      if (message.res === null) connection.noMoreRequests = true;
      return admit(connection, exchangeOf(connection, message));
    },
    refuseUnparsed(connection, message, reason) {
      connection.noMoreRequests = true;
      const x = exchangeOf(connection, message);
      x.parserRefusal = reason;
      x.endedBy = reason === 'client_closed' ? 'client' : null;
      admit(connection, x);
    },
    abandon(connection) {
      for (const x of connection.takeWaiting()) {
        metrics.exchangeStarted();
        leave(x);
      }
    },
    begin(x) {
      metrics.exchangeStarted();
      if (x.parserRefusal !== null) flow.refused(x, deny(x.parserRefusal));
      else if (x.connection.socket.destroyed) leave(x);
      else pipeline.run(x);
    },
  };
}
