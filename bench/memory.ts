// `npm run bench:memory [-- --json FILE]`: what large transfers and idle connections cost in memory.
// Fails when a further 1 GiB either way raises the peak by 32 MiB or more, or an idle connection costs 64 KiB or more.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { type Candidate, startCandidate } from './candidate.ts';

const GIB = 1024 ** 3;
const CONNECTIONS = 10_000;
const LIMITS = { downloadMiB: 32, uploadMiB: 32, idleConnectionKiB: 64 };

const { values } = parseArgs({ options: { json: { type: 'string' } } });

async function download(candidate: Candidate): Promise<void> {
  const req = request({ ...target(candidate), path: `/download?bytes=${GIB}` }).end();
  const [res] = (await once(req, 'response')) as [Readable];
  let bytes = 0;
  for await (const chunk of res) bytes += (chunk as Buffer).length;
  if (bytes !== GIB) throw new Error(`${bytes} bytes came`);
}

async function upload(candidate: Candidate): Promise<void> {
  const headers = {
    ...candidate.headers,
    'content-length': String(GIB),
    'content-type': 'application/octet-stream',
  };
  const req = request({ ...target(candidate), method: 'POST', path: '/upload', headers });
  const answered = once(req, 'response') as Promise<[Readable & { statusCode: number }]>;
  await pipeline(Readable.from(chunks()), req);
  const [res] = await answered;
  res.resume();
  if (res.statusCode !== 200) throw new Error(`the upload was answered ${res.statusCode}`);
}

function* chunks(): Generator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  for (let sent = 0; sent < GIB; sent += chunk.length) yield chunk;
}

function target({ port, headers }: Candidate) {
  return { host: '127.0.0.1', port, headers };
}

/** Growth of the peak by a second transfer: the first one warms up buffers and code. */
async function growth(
  candidate: Candidate,
  transfer: (candidate: Candidate) => Promise<void>,
): Promise<number> {
  await transfer(candidate);
  const before = await candidate.usage();
  await transfer(candidate);
  return (await candidate.usage()).peakMiB - before.peakMiB;
}

/** Each has made one request and stays open. */
async function idleConnections(candidate: Candidate): Promise<number> {
  await openIdle(candidate, 100);
  const before = await candidate.usage();
  const sockets = await openIdle(candidate, CONNECTIONS);
  const after = await candidate.usage();
  for (const socket of sockets) socket.destroy();
  return ((after.rssMiB - before.rssMiB) * 1024) / CONNECTIONS;
}

async function openIdle(candidate: Candidate, count: number): Promise<Socket[]> {
  const lines = Object.entries(candidate.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `GET /api/v1/tickets HTTP/1.1\r\n${lines.join('')}\r\n`;
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(100, count - sockets.length) }, async () => {
      const socket = connect(candidate.port, '127.0.0.1');
      socket.write(text);
      await once(socket, 'data');
      return socket.resume();
    });
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** A fresh process for each, so that no peak hides another. */
async function measure() {
  await using upstream = await startCandidate('upstream', 0, { core: 0 });
  async function fresh(figure: (candidate: Candidate) => Promise<number>): Promise<number> {
    await using postern = await startCandidate('postern', upstream.port, { core: 1 });
    return await figure(postern);
  }
  return {
    downloadMiB: await fresh((postern) => growth(postern, download)),
    uploadMiB: await fresh((postern) => growth(postern, upload)),
    idleConnectionKiB: await fresh(idleConnections),
  };
}

const figures = await measure();
const rows = (Object.keys(LIMITS) as (keyof typeof LIMITS)[]).map((name) => ({
  name,
  figure: Math.round(figures[name] * 10) / 10,
  below: LIMITS[name],
  held: figures[name] < LIMITS[name],
}));
console.table(rows);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
process.exitCode = rows.every(({ held }) => held) ? 0 : 1;
