import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeFrame, FrameTracker } from '#upstream/ws-frames.ts';

/** A frame of `length` bytes of payload, built independently of the code under test. */
function frame(length: number, masked: boolean): Buffer {
  const mask = masked ? 0x80 : 0;
  let head: Buffer;
  if (length < 126) head = Buffer.from([0x82, mask | length]);
  else if (length < 65536) {
    head = Buffer.from([0x82, mask | 126, length >> 8, length & 255]);
  } else {
    head = Buffer.alloc(10);
    head[0] = 0x82;
    head[1] = mask | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0, 0x81), Buffer.alloc(length, 0x88)]);
}

describe('the frame tracker', () => {
  it('knows where frames end however they are cut into chunks', () => {
    const lengths = fc.array(fc.constantFrom(0, 1, 125, 126, 300, 65535, 65536, 70000), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(
        lengths,
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 5000 })),
        (sizes, masked, cuts) => {
          const stream = Buffer.concat(sizes.map((size) => frame(size, masked)));
          const ends = new Set<number>([0]);
          let end = 0;
          for (const size of sizes) ends.add((end += frame(size, masked).length));
          const tracker = new FrameTracker();
          let at = 0;
          for (const cut of [...cuts, stream.length]) {
            const next = Math.min(at + cut, stream.length);
            tracker.feed(stream.subarray(at, next));
            at = next;
            expect(tracker.betweenFrames).toBe(ends.has(at));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('never finds an end after a length that no connection carries', () => {
    const tracker = new FrameTracker();
    tracker.feed(Buffer.from('827f8000000000000000', 'hex'));
    tracker.feed(Buffer.from([0x81, 0x00]));
    expect(tracker.betweenFrames).toBe(false);
  });
});

describe('a close frame', () => {
  it('holds code and reason, and is masked only towards a server', () => {
    expect(closeFrame(4403, 'revoked', false)).toEqual(Buffer.from('\x88\x09\x11\x33revoked', 'latin1'));
    const masked = closeFrame(4403, 'revoked', true);
    const mask = masked.subarray(2, 6);
    const payload = masked.subarray(6).map((byte, i) => byte ^ (mask[i & 3] as number));
    expect([masked[0], masked[1]]).toEqual([0x88, 0x89]);
    expect(Buffer.from(payload).toString('latin1')).toBe('\x11\x33revoked');
  });
});
