// An application that has answered before the assertion was judged, as a middleware with a timeout does while the keys are
// fetched. Attack: whoever sends an assertion that does not hold ends the application's process by an error nobody catches.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { expressSupport } from '../../src/verifier/upstream.ts';

it('leaves an answer alone that was sent while the assertion was judged, and runs no route', async () => {
  const uncaught: unknown[] = [];
  const note = (error: unknown) => void uncaught.push(error);
  process.on('unhandledRejection', note);
  const nexts: unknown[] = [];
  const judge = expressSupport({
    mode: 'required',
    issuer: 'https://gate.test',
    audience: 'app',
    keys: { keys: [] },
  });
  const server = createServer((request, response) => {
    judge(request, response, (error) => void nexts.push(error));
    response.writeHead(503).end('late');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    process.off('unhandledRejection', note);
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { 'x-support-assertion': 'no.such.one' },
  });
  expect([answer.status, await answer.text()]).toEqual([503, 'late']);
  for (let turn = 0; turn < 3; turn++) await setImmediate();
  expect({ uncaught, nexts }).toEqual({ uncaught: [], nexts: [] });
});
