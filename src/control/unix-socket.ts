// A Unix socket's file outlives a killed process and then keeps the next one from listening. It is removed only when
// it is a socket and nobody answers on it: another running server keeps its place.
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

export async function freeUnixSocket(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => null);
  if (stats?.isSocket() !== true || (await somebodyAnswers(path))) return;
  await unlink(path);
}

function somebodyAnswers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once('connect', () => {
    socket.destroy();
    resolve(true);
  });
  // Only a refused connection proves that nobody listens; any other failure leaves the file to its owner.
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  return promise;
}
