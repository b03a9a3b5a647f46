// A key set behind HTTP that answers only when it is told to: requests that need a new key wait meanwhile.
import { createServer, type ServerResponse } from 'node:http';
import type { JWK } from 'jose';
import { listen } from './listen.ts';

export interface SlowKeyServer extends AsyncDisposable {
  readonly url: string;
  keys: readonly JWK[];
  /** How often somebody has asked. */
  readonly asks: number;
  /** While true, whoever asks has to wait for `release`. */
  hold: boolean;
  /** Resolves when somebody waits. */
  asked(): Promise<void>;
  release(): void;
}

export async function slowKeyServer(): Promise<SlowKeyServer> {
  const waiting: ServerResponse[] = [];
  let tell: (() => void) | null = null;
  let asks = 0;
  const server = createServer((_request, response) => {
    asks += 1;
    if (keyServer.hold) {
      waiting.push(response);
      tell?.();
    } else answer(response);
  });
  function answer(response: ServerResponse): void {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys: keyServer.keys }));
  }
  const { port, close } = await listen(server);
  const keyServer: SlowKeyServer = {
    url: `http://127.0.0.1:${port}/keys`,
    keys: [],
    get asks() {
      return asks;
    },
    hold: false,
    asked: () =>
      waiting.length > 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            tell = resolve;
          }),
    release() {
      keyServer.hold = false;
      for (const response of waiting.splice(0)) answer(response);
    },
    [Symbol.asyncDispose]: close,
  };
  return keyServer;
}

/** What the staff's issuer says instead of its key file. */
export function keysFrom(server: SlowKeyServer): Record<string, unknown> {
  return { jwks: undefined, jwksUri: server.url, dangerouslyAllowHttp: true };
}
