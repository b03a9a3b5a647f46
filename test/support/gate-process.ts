// A Postern in a process of its own, as `postern serve` starts it, over the files that `gateFiles` makes. Whoever starts
// it ends it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

interface LogLine {
  readonly message: string;
  readonly listener?: string;
  readonly address?: string;
}

export interface GateProcess {
  readonly child: ChildProcess;
  /** Exit code and signal. */
  readonly exited: Promise<[number | null, string | null]>;
  /** The operational log so far. */
  log(): string;
  readonly dataPort: number;
  readonly controlPort: number;
  readonly opsPort: number;
}

/** Resolves when it listens; rejects with what it said when it ended before. */
export async function startProcess(folder: string): Promise<GateProcess> {
  const main = join(import.meta.dirname, '../../src/main.ts');
  const args = ['--conditions=source', main, 'serve', '--config', join(folder, 'postern.yaml')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  const said: LogLine[] = [];
  let text = '';
  child.stderr.setEncoding('utf8');
  const listening = new Promise<void>((resolve, reject) => {
    let pending = '';
    child.stderr.on('data', (part: string) => {
      text += part;
      pending += part;
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) said.push(JSON.parse(line) as LogLine);
      if (said.some((line) => line.message === 'started')) resolve();
    });
    void exited.then(() => reject(new Error(`ended before it listened: ${text}`)));
  });
  listening.catch(() => undefined);
  await listening;
  const portOf = (listener: string) =>
    Number(
      said
        .find((line) => line.listener === listener)
        ?.address?.split(':')
        .at(-1),
    );
  return {
    child,
    exited,
    log: () => text,
    dataPort: portOf('data'),
    controlPort: portOf('control'),
    opsPort: portOf('ops'),
  };
}
