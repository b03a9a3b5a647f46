// The stream http-proxy-3 gets instead of the client's socket, so that it can neither say nor hear anything that
// was not checked (UP05, UP06). Guarantees: before the tunnel opens nothing passes in either direction, and bytes of
// the client then end it; the head http-proxy-3 writes is replaced by ours; back-pressure both ways.
import { Duplex } from 'node:stream';

export interface GuardEvents {
  /** Bytes of the client before the 101: on a shared connection they would be read as a request. */
  earlyBytes(): void;
  clientSent(chunk: Buffer): void;
  /** Asked before a chunk of the upstream goes to the client. */
  upstreamSent(chunk: Buffer): void;
}

export interface Guard {
  /** For http-proxy-3. */
  readonly stream: Duplex;
  /** The handshake was checked and its head sent: from now on bytes pass. */
  open(): void;
  /** Lets go of the client's socket: nothing is read from it or written to it any more. */
  detach(): void;
}

export function createGuard(client: Duplex, events: GuardEvents): Guard {
  let opened = false;
  let headPending = true;
  let detached = false;

  const stream = new Duplex({
    read() {
      if (opened && !detached) client.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      if (detached || !opened) {
        done();
      } else if (headPending) {
        // http-proxy-3 writes the head of the 101 in one piece, with every header the upstream sent.
        headPending = false;
        done();
      } else {
        events.upstreamSent(chunk);
        if (client.write(chunk)) done();
        else client.once('drain', done);
      }
    },
    final(done) {
      if (!detached && opened) client.end();
      done();
    },
    destroy(_error, done) {
      detach();
      done(null);
    },
  });
  actAsSocket(stream);
  stream.on('error', ignore);

  function onData(chunk: Buffer): void {
    if (!opened) {
      events.earlyBytes();
      return;
    }
    events.clientSent(chunk);
    if (!stream.push(chunk)) client.pause();
  }
  function onEnd(): void {
    stream.push(null);
  }
  function detach(): void {
    if (detached) return;
    detached = true;
    client.off('data', onData).off('end', onEnd);
  }
  client.on('data', onData).on('end', onEnd);

  return {
    stream,
    open() {
      opened = true;
    },
    detach,
  };
}

/** What http-proxy-3 asks of a socket; the real one was set up by the server. */
function actAsSocket(stream: Duplex): void {
  const none = (): Duplex => stream;
  Object.assign(stream, {
    setTimeout: none,
    setNoDelay: none,
    setKeepAlive: none,
    destroySoon: () => stream.destroy(),
  });
}

function ignore(): void {
  // The tunnel watches both sockets itself.
}
