// The local kill switch: while its file exists nothing is forwarded, whatever store and identity provider say.
// Guarantees: needs no network, no API and no restart. What is in flight is cut when the file appears, or at once when
// the process is told to stop (SIGUSR2); only a file that is known to be gone lets go again. Cold.
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '#model/log.ts';

const CHECK_EVERY_MS = 250;

export interface KillSwitchDeps {
  /** Absolute. */
  readonly file: string;
  /** Called at each change, and once at the start when the file is already there. */
  readonly onChange: (stopped: boolean) => void;
  readonly log: Pick<Log, 'error'>;
}

export interface KillSwitch extends Disposable {
  /**
   * Stops now, then makes the file, so that it holds after a restart and whoever removes the file lets go. Where no file
   * can be made, it holds until this process ends. Never a toggle: told twice, it is stopped.
   */
  stop(): void;
}

/** Looks at once, then four times a second: a watch would miss a folder that is mounted later. */
export function watchKillSwitch({ file, onChange, log }: KillSwitchDeps): KillSwitch {
  let stopped = false;
  /** Told to stop, and there is no file to take that back with. */
  let latched = false;

  function become(next: boolean): void {
    if (next === stopped) return;
    stopped = next;
    onChange(stopped);
  }

  function look(): void {
    become(latched || (isThere(file) ?? stopped));
  }

  look();
  const timer = setInterval(look, CHECK_EVERY_MS);
  timer.unref();
  return {
    stop() {
      become(true);
      latched = !made(file);
      if (latched) log.error({}, 'the kill-switch file cannot be made: stopped until the process ends');
    },
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

/** Null where it cannot be told, such as a folder that may not be read: what was known holds on. */
function isThere(file: string): boolean | null {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return null;
  }
}

/** Also true when it was there before. */
function made(file: string): boolean {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
    return true;
  } catch {
    return false;
  }
}
