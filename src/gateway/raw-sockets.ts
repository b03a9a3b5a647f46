// Under TLS the socket that carries HTTP cannot be reset; the TCP socket below it can. This finds it.
// Guarantees: an entry lives as long as its connection. Node has no documented way from one to the other, but both
// have the same remote address and port while the connection is open.
import type { Socket } from 'node:net';

export interface RawSockets {
  add(raw: Socket): void;
  /** The TCP socket below `secure`; `secure` itself when it is not known, which can then only be destroyed. */
  below(secure: Socket): Socket;
}

export function createRawSockets(): RawSockets {
  const byPeer = new Map<string, Socket>();
  return {
    add(raw) {
      const key = peerOf(raw);
      byPeer.set(key, raw);
      raw.once('close', () => {
        if (byPeer.get(key) === raw) byPeer.delete(key);
      });
    },
    below: (secure) => byPeer.get(peerOf(secure)) ?? secure,
  };
}

function peerOf(socket: Socket): string {
  return JSON.stringify([socket.remoteAddress, socket.remotePort, socket.localAddress]);
}
