// Ours against Node's own parser of responses: whatever ours accepts, Node's accepts with the same status, headers and
// body; so ours is never the laxer one. Thousands of mutations, from a fixed seed, over real sockets.
import { Agent, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { BAD, bytesOf, GOOD, mutated, parsed } from '../support/upstream-responses.ts';

interface Read {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
}

/** Null: refused. */
function readByNode(port: number, index: number): Promise<Read | null> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: `/${index}`, agent: new Agent() });
    request.on('error', () => resolve(null));
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve(null);
    });
    request.on('response', (response: IncomingMessage) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('error', () => resolve(null));
      response.on('end', () => {
        const { statusCode = 0, rawHeaders, complete } = response;
        resolve(complete ? { status: statusCode, fields: rawHeaders, body } : null);
      });
    });
  });
}

async function startResponses(texts: readonly string[]) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (head) => {
      const index = Number(/^GET \/([0-9]+) /.exec(head.toString('latin1'))?.[1]);
      socket.end(texts[index] ?? '', 'latin1');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A linear congruential generator: the same mutations in every run. */
function picker(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

/** Without what stands behind the end: ours relays the response and destroys the connection, Node's drops both. */
function withoutRest(text: string): string {
  const bytes = bytesOf(text);
  let length = 1;
  while (length < bytes.length && parsed([bytes.subarray(0, length)]).fault !== null) length++;
  // One that ends with the connection is whole only with all its bytes.
  return parsed([bytes.subarray(0, length)]).framed ? text.slice(0, length) : text;
}

/** What stands in a chunk extension is bounded ASCII without controls, dropped unread: ours has no grammar for it. */
function withoutExtensions(text: string): string {
  return text.replace(/\r\n([0-9a-fA-F]{1,13});[\t -~]*(?=\r\n)/g, '\r\n$1');
}

function isAccepted(text: string): boolean {
  return parsed([bytesOf(text)]).fault === null;
}

async function laxer(responses: readonly string[]): Promise<unknown[]> {
  // Twice: payload may look like an extension, and is no longer what its size says without it.
  const texts = responses.filter(isAccepted).map(withoutRest).map(withoutExtensions).filter(isAccepted);
  await using server = await startResponses(texts);
  const found: unknown[] = [];
  for (const [index, text] of texts.entries()) {
    const { status, fields, body } = parsed([bytesOf(text)]);
    const theirs = await readByNode(server.port, index);
    if (JSON.stringify(theirs) !== JSON.stringify({ status, fields, body })) {
      found.push({ text, ours: { status, fields, body }, theirs });
    }
  }
  return found;
}

describe('what our parser accepts', () => {
  it('Node\u2019s parser reads alike: the tables', async () => {
    expect(await laxer([...GOOD.map(([, text]) => text), ...BAD.map(([, text]) => text)])).toEqual([]);
  });

  it('Node\u2019s parser reads alike: mutations', async () => {
    const pick = picker(20_260_728);
    const texts = Array.from({ length: 12_000 }, () => mutated(pick));
    const accepted = texts.filter(isAccepted);
    // Else the comparison would say nothing.
    expect(accepted.length).toBeGreaterThan(1000);
    expect(await laxer(accepted)).toEqual([]);
  });
});
