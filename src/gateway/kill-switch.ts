// The local kill switch: while its file exists nothing is forwarded, whatever store and identity provider say.
// Guarantees: needs no network, no API and no restart. What is in flight is cut when the file appears. Cold.
import { existsSync } from 'node:fs';

const CHECK_EVERY_MS = 250;

export interface KillSwitchDeps {
  readonly file: string;
  /** Called at each change, and once at the start when the file is already there. */
  readonly onChange: (stopped: boolean) => void;
}

/** Looks at once, then four times a second: a watch would miss a folder that is mounted later. */
export function watchKillSwitch({ file, onChange }: KillSwitchDeps): Disposable {
  let stopped = false;

  function look(): void {
    const exists = existsSync(file);
    if (exists === stopped) return;
    stopped = exists;
    onChange(stopped);
  }

  look();
  const timer = setInterval(look, CHECK_EVERY_MS);
  timer.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}
