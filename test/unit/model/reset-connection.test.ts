// A reset in every state of a socket: it closes, and nothing is thrown at a process that listens to no error of it.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { resetConnection } from '#model/reset-connection.ts';
import { listen } from '../../support/listen.ts';

/** The accepted side of a connection whose client reads nothing. */
async function accepted(): Promise<{ readonly socket: Socket } & AsyncDisposable> {
  const server = createServer();
  const { port, close } = await listen(server);
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  return {
    socket,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await close();
    },
  };
}

const STATES: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['at rest', () => undefined],
  ['with an answer that nobody takes', (socket) => void socket.write('x'.repeat(1 << 24))],
  // libuv refuses a reset here; by `resetAndDestroy` the error ends the process.
  ['that is ending', (socket) => void socket.end('goodbye')],
  ['that is destroyed', (socket) => void socket.destroy()],
];

describe('the reset of a connection', () => {
  it.each(STATES)('%s closes it and is nobody’s error', async (_state, bring) => {
    await using t = await accepted();
    bring(t.socket);
    const closed = once(t.socket, 'close');
    resetConnection(t.socket, t.socket);
    await closed;
    expect(t.socket.destroyed).toBe(true);
  });
});
