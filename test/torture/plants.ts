// Faults that the torture must find, planted under the journal in the gateway's own process: the proof that a green
// run means something. Each of them claims success and does something else; production code knows nothing of them.
import { type JournalFiles, nodeJournalFiles } from '#audit/journal-files.ts';

export const PLANTS = ['forward-before-record', 'wrong-seal', 'drop-completion'] as const;
export type Plant = (typeof PLANTS)[number];

/** How long the planted writer sits on what it says is written. */
const LATE_MS = 40;
/** One group in so many is changed. */
const EVERY = 50;

export function plantedFiles(plant: Plant): JournalFiles {
  switch (plant) {
    case 'forward-before-record':
      return lateWrites();
    case 'wrong-seal':
      return changedWrites((text) => text.replace(/("k":"seal","n":\d+,"h":")[0-9a-f]/, '$1x'));
    case 'drop-completion':
      return changedWrites((text) => text.replace('{"k":"done"', '{"k":"gone"'));
  }
}

/** Requests are forwarded before their records have reached the kernel. */
function lateWrites(): JournalFiles {
  const late = new Map<number, Buffer[]>();
  const drain = (fd: number): void => {
    const waiting = late.get(fd) ?? [];
    late.delete(fd);
    for (const bytes of waiting) writeAll(fd, bytes);
  };
  return {
    ...nodeJournalFiles,
    write(fd, from, offset, length) {
      const waiting = late.get(fd);
      const copy = Buffer.from(from.subarray(offset, offset + length));
      if (waiting === undefined) {
        late.set(fd, [copy]);
        setTimeout(() => drain(fd), LATE_MS);
      } else {
        waiting.push(copy);
      }
      return length;
    },
    close(fd) {
      drain(fd);
      nodeJournalFiles.close(fd);
    },
  };
}

/** Now and then a group is written with other bytes than those it was sealed with. */
function changedWrites(change: (text: string) => string): JournalFiles {
  let writes = 0;
  return {
    ...nodeJournalFiles,
    write(fd, from, offset, length) {
      writes += 1;
      if (writes % EVERY !== 0) return nodeJournalFiles.write(fd, from, offset, length);
      const changed = change(from.toString('latin1', offset, offset + length));
      writeAll(fd, Buffer.from(changed, 'latin1'));
      return length;
    },
  };
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; )
    done += nodeJournalFiles.write(fd, bytes, done, bytes.length - done);
}
