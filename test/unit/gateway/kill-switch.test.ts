import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchKillSwitch } from '#gateway/kill-switch.ts';
import { temporaryFolder } from '../../support/grants-fixtures.ts';

const CHECK_MS = 250;

function setUp(prepare: (file: string) => void = () => undefined) {
  const folder = temporaryFolder();
  const file = join(folder.path, 'data', 'STOP');
  prepare(file);
  const changes: boolean[] = [];
  const error = vi.fn();
  const killSwitch = watchKillSwitch({ file, onChange: (on) => changes.push(on), log: { error } });
  return {
    file,
    changes,
    error,
    killSwitch,
    [Symbol.dispose]() {
      killSwitch[Symbol.dispose]();
      folder[Symbol.dispose]();
    },
  };
}

const touch = (file: string): void => {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
};

describe('the kill switch', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  it('holds from the start when its file is there', () => {
    using t = setUp(touch);
    expect(t.changes).toEqual([true]);
  });

  it('sees within a second that its file has come and gone', () => {
    using t = setUp();
    touch(t.file);
    vi.advanceTimersByTime(CHECK_MS);
    expect(t.changes).toEqual([true]);
    rmSync(t.file);
    vi.advanceTimersByTime(CHECK_MS);
    expect(t.changes).toEqual([true, false]);
  });

  it('stops at once when told, and makes the file that takes it back', () => {
    using t = setUp();
    t.killSwitch.stop();
    expect(t.changes).toEqual([true]);
    expect(existsSync(t.file)).toBe(true);
    vi.advanceTimersByTime(4 * CHECK_MS);
    expect(t.changes).toEqual([true]);
    rmSync(t.file);
    vi.advanceTimersByTime(CHECK_MS);
    expect(t.changes).toEqual([true, false]);
  });

  it('is no toggle: told twice it is stopped', () => {
    using t = setUp();
    t.killSwitch.stop();
    t.killSwitch.stop();
    vi.advanceTimersByTime(CHECK_MS);
    expect(t.changes).toEqual([true]);
  });

  it('holds until the end where its file cannot be made', () => {
    using t = setUp((file) => writeFileSync(join(file, '..'), 'a file where the folder should be'));
    t.killSwitch.stop();
    vi.advanceTimersByTime(4 * CHECK_MS);
    expect(t.changes).toEqual([true]);
    expect(t.error).toHaveBeenCalledOnce();
  });

  it('does not let go when its folder cannot be read any more', () => {
    using t = setUp(touch);
    const folder = join(t.file, '..');
    rmSync(folder, { recursive: true });
    // A loop: a folder without the right to look into it would do too, but not for somebody who may do everything.
    symlinkSync(folder, folder);
    vi.advanceTimersByTime(4 * CHECK_MS);
    expect(t.changes).toEqual([true]);
  });
});
