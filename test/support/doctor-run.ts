// `postern doctor` run in this process on a configuration in a folder of its own, and applications around which there is a
// way or none.
import { rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { examine, type ExamineOptions } from '#cli/doctor-examine.ts';
import type { Finding } from '#cli/doctor-finding.ts';
import { createPolicyPrinter } from '#cli/policy-print.ts';
import { doctorRooms } from '../../src/compose-doctor.ts';
import { gateFiles, type GateOptions } from './gate.ts';
import { listen } from './listen.ts';

export interface DoctorRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Empty for what was not JSON. */
  readonly findings: readonly Finding[];
  /** The states of the findings about it, in order. */
  states(check: string): readonly string[];
}

export async function examined(file: string, more: Partial<ExamineOptions> = {}): Promise<DoctorRun> {
  const text = { out: '', err: '' };
  const printer = createPolicyPrinter({
    stdout: { write: (chunk: string) => (text.out += chunk) },
    stderr: { write: (chunk: string) => (text.err += chunk) },
    isTerminal: false,
  });
  const options = { file, path: '/', host: null, publicUrl: [], trustNetwork: false, json: true, ...more };
  const code = await examine(options, {
    env: {},
    printer,
    rooms: () => Promise.resolve(doctorRooms),
    timeoutMs: 2000,
  });
  const findings = text.out.startsWith('{')
    ? ((JSON.parse(text.out) as { findings?: Finding[] }).findings ?? [])
    : [];
  return {
    code,
    ...text,
    findings,
    states: (name) => findings.filter(({ check }) => check === name).map(({ state }) => state),
  };
}

/** A gate's files, of a gate that does not run. */
export async function patient(options: GateOptions): Promise<Disposable & { folder: string; file: string }> {
  const { folder } = await gateFiles(options);
  return {
    folder,
    file: join(folder, 'postern.yaml'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export interface SeenRequest {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
}

/** Answers each request by `respond`, and says what it was asked. */
export async function application(respond: RequestListener) {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    seen.push({ line: `${request.method} ${request.url}`, headers: request.headers });
    respond(request, response);
  });
  const { port, close } = await listen(server);
  return { port, seen, [Symbol.asyncDispose]: close };
}
