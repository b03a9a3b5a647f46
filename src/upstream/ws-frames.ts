// WebSocket framing (RFC 6455 section 5.2), as far as the gate needs it: where frames end, and one frame to send.
// Guarantees: a close frame of ours is only ever said between two frames; a hostile length costs nothing. Hot per
// chunk, not per byte: payload is skipped, never looked at.
import { randomBytes } from 'node:crypto';

/** Follows one direction of a tunnel. */
export class FrameTracker {
  /** Bytes of payload (and mask) still to come of the frame under way. */
  #skip = 0;
  /** Bytes of the frame header read so far; a header is at most 10 bytes before the mask. */
  readonly #header = Buffer.alloc(10);
  #headerLength = 0;
  /** A length no connection will ever carry: the direction is never between frames again. */
  #endless = false;

  get betweenFrames(): boolean {
    return !this.#endless && this.#skip === 0 && this.#headerLength === 0;
  }

  feed(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.#endless) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        this.#skip -= step;
        at += step;
        continue;
      }
      this.#header[this.#headerLength++] = chunk[at++] as number;
      if (this.#headerLength >= 2 && this.#headerLength === this.#expectedHeader()) this.#beginPayload();
    }
  }

  #expectedHeader(): number {
    const marker = (this.#header[1] as number) & 0x7f;
    return marker === 127 ? 10 : marker === 126 ? 4 : 2;
  }

  #beginPayload(): void {
    const second = this.#header[1] as number;
    const marker = second & 0x7f;
    let length = marker;
    if (marker === 126) length = this.#header.readUInt16BE(2);
    else if (marker === 127) length = Number(this.#header.readBigUInt64BE(2));
    if (!Number.isSafeInteger(length)) this.#endless = true;
    this.#headerLength = 0;
    this.#skip = length + ((second & 0x80) === 0 ? 0 : 4);
  }
}

/** A close frame. `reason` is ASCII of at most 123 bytes; frames of a client to a server are masked. */
export function closeFrame(code: number, reason: string, masked: boolean): Buffer {
  const length = 2 + reason.length;
  const frame = Buffer.alloc(2 + (masked ? 4 : 0) + length);
  const start = frame.length - length;
  frame[0] = 0x88;
  frame[1] = masked ? 0x80 | length : length;
  frame.writeUInt16BE(code, start);
  frame.write(reason, start + 2, 'latin1');
  if (!masked) return frame;
  const mask = randomBytes(4);
  mask.copy(frame, 2);
  for (let i = 0; i < length; i++) frame[start + i] = (frame[start + i] as number) ^ (mask[i & 3] as number);
  return frame;
}
