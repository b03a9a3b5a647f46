// Requests whose bytes are ours: node:http sends the path as it is given and tidies nothing. Bounded in time.
import { Agent, request } from 'node:http';

const TIMEOUT_MS = 15_000;

interface Call {
  readonly port: number;
  readonly method: string;
  /** The raw request target. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface HttpClient extends Disposable {
  /** Rejects when the connection fails or 15 s pass. */
  send(call: Call): Promise<Answer>;
}

export function createHttpClient(): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const send = ({ port, method, path, headers, json }: Call): Promise<Answer> => {
    const body = json === undefined ? null : Buffer.from(JSON.stringify(json));
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent,
        timeout: TIMEOUT_MS,
        headers: {
          ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      },
    );
    sent.on('timeout', () =>
      sent.destroy(new Error(`no answer to ${method} ${path} within ${TIMEOUT_MS} ms`)),
    );
    sent.on('error', reject);
    sent.end(body ?? undefined);
    return promise;
  };
  return { send, [Symbol.dispose]: () => agent.destroy() };
}
