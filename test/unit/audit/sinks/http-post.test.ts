import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createHttpPost, type PostAnswer } from '#audit/sinks/http-post.ts';
import { listen } from '../../../support/listen.ts';

/** What a receiver that says `answer` to whatever it is sent makes of a post: the answer, or the code of the error. */
async function postTo(answer: string, then: 'open' | 'end' = 'open'): Promise<PostAnswer | string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => (then === 'end' ? socket.end(answer) : socket.write(answer)));
  });
  const { port, close } = await listen(server);
  const post = createHttpPost({ url: `http://127.0.0.1:${port}/`, headers: {}, timeoutMs: 300, ca: null });
  try {
    return await post.send(Buffer.from('a body'), {});
  } catch (error) {
    return (error as { readonly code: string }).code;
  } finally {
    post.close();
    await close();
  }
}

describe('an answer', () => {
  it.each([
    ['without a body', 'HTTP/1.1 204 No Content\r\n\r\n', 204],
    [
      'after another that was only informational',
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 202 OK\r\ncontent-length: 0\r\n\r\n',
      202,
    ],
    [
      'whose body is too long to wait for',
      `HTTP/1.1 200 OK\r\ncontent-length: 999999\r\n\r\n${'x'.repeat(70_000)}`,
      200,
    ],
  ])('%s counts', async (_what, answer, status) => {
    expect(await postTo(answer)).toEqual({ status, retryAfterMs: null });
  });

  it.each([
    ['that never ends', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx', 'open', 'timeout'],
    ['that ends too early', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx', 'end', 'ECONNRESET'],
    ['that stops in its head', 'HTTP/1.1 200 OK\r\nx: ', 'open', 'timeout'],
    ['that is no HTTP', 'SSH-2.0-secret\r\n', 'open', 'HPE_INVALID_CONSTANT'],
    [
      'with a head too large',
      `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      'open',
      'HPE_HEADER_OVERFLOW',
    ],
    [
      'that makes the connection something else',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
      'open',
      'ECONNRESET',
    ],
    ['that is none', '', 'end', 'ECONNRESET'],
  ] as const)('%s is a failure', async (_what, answer, then, code) => {
    expect(await postTo(answer, then)).toBe(code);
  });
});
