// A held body without its content coding: gzip or brotli, one coding, one stream, nothing after it.
// Guarantees: never more than `maxBytes` in memory (a bomb is too large), work off the event loop, and one reading:
// a second gzip member or bytes after the end, which some servers read and others drop, are a flaw. Not hot.
import { brotliDecompress, crc32, inflateRaw } from 'node:zlib';

export type Inflated = Content | NoContent;

interface Content {
  readonly bytes: Buffer;
  /** Bytes of the stream as it came. */
  readonly consumed: number;
}

/** Why there is nothing that can be looked at. */
interface NoContent {
  readonly bytes: null;
  readonly kind: 'unreadable' | 'too_large';
  readonly flaw: string;
}

const GZIP_HEADER_BYTES = 10;
const GZIP_TRAILER_BYTES = 8;
/** RFC 1952 section 2.3.1: a file name follows the header. */
const GZIP_NAME = 0x08;
const OUTPUT_CHUNK_BYTES = 64 * 1024;

const TOO_LARGE: NoContent = Object.freeze({
  bytes: null,
  kind: 'too_large',
  flaw: 'decompressed, the body is larger than what rules look into',
});
const MALFORMED = unreadable('the body is not what its content coding says');

/** `bytes` is not empty. A coding that nobody inspects is a flaw, deflate included: servers read it in two ways. */
export function inflateBody(
  bytes: Buffer,
  contentEncoding: string,
  maxBytes: number,
): Inflated | Promise<Inflated> {
  const coding = contentEncoding.trim().toLowerCase();
  if (coding === '' || coding === 'identity') return { bytes, consumed: bytes.length };
  if (coding === 'gzip' || coding === 'x-gzip') return inflateGzip(bytes, maxBytes);
  if (coding === 'br') return inflateBrotli(bytes, maxBytes);
  return unreadable('the content coding is not one that rules look into');
}

function unreadable(flaw: string): NoContent {
  return Object.freeze({ bytes: null, kind: 'unreadable', flaw });
}

/** The frame is read here, since Node's own gunzip joins members and overlooks what follows them. */
async function inflateGzip(bytes: Buffer, maxBytes: number): Promise<Inflated> {
  const start = startOfDeflated(bytes);
  if (start === -1) return MALFORMED;
  const stream = bytes.subarray(start);
  const content = await run(inflateRaw, stream, maxBytes);
  if (content.bytes === null) return content;
  const trailerAt = content.consumed;
  if (stream.length - trailerAt < GZIP_TRAILER_BYTES) return MALFORMED;
  if (stream.length - trailerAt > GZIP_TRAILER_BYTES) {
    return unreadable('the compressed body holds more than one gzip member, or bytes after it');
  }
  const isIntact =
    stream.readUInt32LE(trailerAt) === crc32(content.bytes) &&
    stream.readUInt32LE(trailerAt + 4) === content.bytes.length;
  return isIntact ? content : MALFORMED;
}

async function inflateBrotli(bytes: Buffer, maxBytes: number): Promise<Inflated> {
  const content = await run(brotliDecompress, bytes, maxBytes);
  const hasMore = content.bytes !== null && content.consumed < bytes.length;
  return hasMore ? unreadable('the compressed body holds bytes after its end') : content;
}

/** RFC 1952 section 2.3; -1 for anything but deflate with at most a name, which is all that clients send. */
function startOfDeflated(bytes: Buffer): number {
  if (bytes.length < GZIP_HEADER_BYTES + GZIP_TRAILER_BYTES) return -1;
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== 8) return -1;
  const flags = bytes[3];
  if (flags === 0) return GZIP_HEADER_BYTES;
  if (flags !== GZIP_NAME) return -1;
  const end = bytes.indexOf(0, GZIP_HEADER_BYTES);
  return end === -1 ? -1 : end + 1;
}

/** What the callbacks of node:zlib are given with `info`. */
interface ZlibResult {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

type Decompress = (
  bytes: Buffer,
  options: { maxOutputLength: number; chunkSize: number; info: boolean },
  done: (error: NodeJS.ErrnoException | null, result: Buffer) => void,
) => void;

function run(decompress: Decompress, bytes: Buffer, maxBytes: number): Promise<Inflated> {
  const { promise, resolve } = Promise.withResolvers<Inflated>();
  const options = { maxOutputLength: Math.max(1, maxBytes), chunkSize: OUTPUT_CHUNK_BYTES, info: true };
  decompress(bytes, options, (error, result) => {
    if (error !== null) {
      resolve(error.code === 'ERR_BUFFER_TOO_LARGE' ? TOO_LARGE : MALFORMED);
      return;
    }
    const { buffer, engine } = result as unknown as ZlibResult;
    resolve({ bytes: buffer, consumed: engine.bytesWritten });
  });
  return promise;
}
