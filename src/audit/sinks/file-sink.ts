// Appends records to a file that others read: for the owner alone, whole lines, opened again on request.
// A line torn by a crash is cut off before the first write, since it is shipped again whole.
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { ndjson } from './ndjson.ts';
import type { Sink } from './sink.ts';
import type { FileOptions } from './sink-options.ts';

const { O_APPEND, O_CREAT, O_RDWR, O_WRONLY } = constants;
const TAIL_BYTES = 256 * 1024;

export function createFileSink({ path: file, format }: Omit<FileOptions, 'kind'>): Sink<Buffer> {
  let handle: FileHandle | null = null;
  let reopenWanted = false;
  const close = async (): Promise<void> => {
    const old = handle;
    handle = null;
    await old?.close();
  };
  return {
    encode: (records) => ndjson(records, format),
    async write(lines, from) {
      if (reopenWanted && from === 0) {
        reopenWanted = false;
        await close();
      }
      handle ??= await openWhole(file);
      try {
        return (await handle.write(lines, from, lines.length - from)).bytesWritten;
      } catch (error) {
        // Within a batch the handle stays: another file would begin with half a line.
        if (from === 0) await close();
        throw error;
      }
    },
    async sync() {
      await handle?.datasync();
    },
    reopen() {
      reopenWanted = true;
    },
    close,
  };
}

async function openWhole(file: string): Promise<FileHandle> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await cutTornLine(file);
  return open(file, O_APPEND | O_CREAT | O_WRONLY, 0o600);
}

async function cutTornLine(file: string): Promise<void> {
  const handle = await open(file, O_CREAT | O_RDWR, 0o600);
  try {
    const status = await handle.stat();
    if (!status.isFile() || status.size === 0) return;
    const start = Math.max(0, status.size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(status.size - start), { position: start });
    const whole = start + buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
    if (whole < status.size) await handle.truncate(whole);
  } finally {
    await handle.close();
  }
}
