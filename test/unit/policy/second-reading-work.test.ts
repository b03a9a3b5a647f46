// P3: what all readings of one path may take together. Attack: on a route that opts in, four marks on each of four layers
// make 70 readings of one path, each walked by every rule; 8 KiB of slashes then keep the loop for a tenth of a second, and
// one such request after the other makes it late for everybody.
import { describe, expect, it } from 'vitest';
import { type SecondReading, secondReadings } from '#policy/second-reading.ts';

const MARKS = '%2F%3F%23%5C;x';

function workOf(path: string, readings: readonly SecondReading[]): number {
  return readings.reduce((sum, { segments }) => sum + path.length + 8 * segments.length, 0);
}

describe('the readings of one path', () => {
  it('are refused where they multiply, however they are spelled', () => {
    const slashes = '/a'.repeat(3900);
    for (const path of [
      `${slashes}%2525252F%252F%253F%2523%255C${MARKS}`,
      `/${'a%252F'.repeat(1300)}${MARKS}`,
      `/${'a%2F'.repeat(1990)}${MARKS}`,
      `/${'%EF%B7%BA%2F'.repeat(650)}${MARKS}`,
      `${slashes}%3F%23`,
    ]) {
      expect(path.length).toBeLessThanOrEqual(8192);
      expect(secondReadings(path), path.slice(-60)).toBeNull();
    }
  });

  it('never take more than the bound, the query that is read behind each of them included', () => {
    for (let size = 1; size < 4000; size += 97) {
      const path = `${'/a'.repeat(size)}%2525252F%252F${MARKS}`;
      const readings = secondReadings(path);
      if (readings !== null) expect(workOf(path, readings)).toBeLessThanOrEqual(48 * 1024);
    }
    const short = `/files/a${MARKS}`;
    expect(secondReadings(short)?.length).toBeGreaterThanOrEqual(8);
    expect(secondReadings(short, 8000)).toBeNull();
  });

  it('are all read for any path that somebody means', () => {
    const name = `group%2Fsub%2F${'n'.repeat(200)}%23${'m'.repeat(200)}%3F.csv`;
    for (const path of [`/projects/${name}/files`, `/files/${name}%252F${name}`, `/a${'%2Fb'.repeat(500)}`]) {
      expect(secondReadings(path, 500)?.length, path).toBeGreaterThan(0);
    }
  });
});
