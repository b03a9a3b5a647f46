// What the head of an answer says it is, read as widely as clients do: every line of a name counts, names and
// values in any case, lines joined by commas, parameters of every form. Assumes a strict parser made the fields (no
// folding, no control bytes). Never throws. Hot for guarded routes: one scratch object per set, reused.
import type { ResponseFacts } from './compiled-policy.ts';
import { type MediaTypeSet, mediaTypesHold, readMediaTypes } from './media-type.ts';

const PARTIAL = 206;
const UNSATISFIABLE = 416;
/** The one type that a client can ask for and that hides another: RFC 9110 section 14.6 puts it into the parts. */
const BYTE_RANGES = 'multipart/byteranges';

export class AnswerHead {
  /** RFC 6266 section 4.2: some line has a disposition other than `inline`. */
  isAttachment = false;
  /** Whole, in bytes: of the body, or of what it is a part of. -1: not said; Infinity: said so that it cannot be read. */
  bytes = -1;
  private readonly types: string[] = [];
  private typeCount = 0;
  private readonly dispositions: string[] = [];
  private dispositionCount = 0;
  /** It is part of something whose type is not said here. */
  private hidesType = false;
  /** It is a part that says nothing of what it is a part of. */
  private isBare = false;

  read({ status, fields, contentLength }: ResponseFacts): void {
    this.isAttachment = false;
    this.bytes = contentLength;
    this.typeCount = 0;
    this.dispositionCount = 0;
    let sawRange = false;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      // No other name is of interest here, and most have other lengths.
      if (name.length !== 12 && name.length !== 13 && name.length !== 19) continue;
      const value = fields[i + 1] as string;
      switch (name.toLowerCase()) {
        case 'content-type':
          this.typeCount = readMediaTypes(value, this.types, this.typeCount);
          break;
        case 'content-disposition':
          this.dispositions[this.dispositionCount++] = value;
          this.isAttachment ||= isAttachment(value);
          break;
        case 'content-range':
          sawRange = true;
          if (status !== UNSATISFIABLE) this.readRange(value, status);
          break;
      }
    }
    this.readParts(status, sawRange);
  }

  /**
   * RFC 9110 section 15.3.7: asked for with `If-Range`, a part may come without type and disposition; several parts
   * hide even the size.
   */
  private readParts(status: number, sawRange: boolean): void {
    let inParts = false;
    for (let i = 0; i < this.typeCount; i++) inParts ||= this.types[i] === BYTE_RANGES;
    const isUntyped = status === PARTIAL && this.typeCount === 0;
    this.hidesType = inParts || isUntyped;
    this.isBare = isUntyped && this.dispositionCount === 0;
    this.isAttachment ||= this.isBare;
    if (inParts || (status === PARTIAL && !sawRange)) this.bytes = Number.POSITIVE_INFINITY;
  }

  /** The size of the whole counts, not of the part (RFC 9110 section 14.4). */
  private readRange(value: string, status: number): void {
    for (const range of value.split(',')) {
      const bytes = bytesOfRange(range);
      // What cannot be read matters only where there is a part.
      if (bytes > this.bytes && (status === PARTIAL || Number.isFinite(bytes))) this.bytes = bytes;
    }
  }

  /** Of one of these media types, or a part of what may be one. */
  isOfType(set: MediaTypeSet): boolean {
    if (this.hidesType) return true;
    for (let i = 0; i < this.typeCount; i++) if (mediaTypesHold(set, this.types[i] as string)) return true;
    return false;
  }

  /** Named as a file with one of these extensions. What the path ends with is for a deny rule. */
  isNamed(extensions: ReadonlySet<string>): boolean {
    for (let i = 0; i < this.dispositionCount; i++) {
      const value = this.dispositions[i] as string;
      if (holdsExtension(value, extensions) || holdsExtension(plainName(value), extensions)) return true;
    }
    return this.isBare;
  }
}

/** An empty line says nothing; whatever else is not `inline` is saved as a file by some client. */
function isAttachment(value: string): boolean {
  if (/^[\s;,]*$/.test(value)) return false;
  const semicolon = value.indexOf(';');
  const types = semicolon === -1 ? value : value.slice(0, semicolon);
  let isInline = false;
  for (const type of types.split(',')) {
    const text = type.trim().toLowerCase();
    if (text === '') continue;
    if (text !== 'inline') return true;
    isInline = true;
  }
  if (!isInline) return true;
  // A second line that was joined to this one, behind the parameters of the first.
  return semicolon !== -1 && /[;,]\s*attachment\s*(?:[;,]|$)/i.test(value);
}

/** -1: not of bytes, but of rows, pages, items; Infinity: of bytes, and not to be read (`*` included). */
function bytesOfRange(range: string): number {
  const text = range.trim().toLowerCase();
  const unit = /^[a-z_-]+/.exec(text)?.[0] ?? '';
  if (unit !== '' && unit !== 'bytes') return -1;
  const slash = text.lastIndexOf('/');
  const total = text.slice(slash + 1).trim();
  return slash !== -1 && /^[0-9]{1,15}$/.test(total) ? Number(total) : Number.POSITIVE_INFINITY;
}

/** Whether a dot and one of `extensions` stand anywhere in it: `a.csv`, `a.csv.gz`, `a.csv (1)`. */
function holdsExtension(text: string, extensions: ReadonlySet<string>): boolean {
  for (let dot = text.indexOf('.'); dot !== -1; dot = text.indexOf('.', dot + 1)) {
    let end = dot + 1;
    while (end < text.length && isAlphanumeric(text.charCodeAt(end))) end++;
    if (end > dot + 1 && extensions.has(text.slice(dot + 1, end).toLowerCase())) return true;
  }
  return false;
}

function isAlphanumeric(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

/**
 * The line without its quotings: continued parameters joined (RFC 2231 section 3), quoted pairs, encoded words (RFC 2047,
 * which browsers read here) and percent-encoding (RFC 8187) decoded, in that order. Extensions are ASCII, so charsets do
 * not matter.
 */
function plainName(value: string): string {
  let text = value;
  if (text.includes('*')) text = withContinuationsJoined(text);
  if (text.includes('\\')) text = text.replaceAll(/\\(.)/g, '$1');
  if (text.includes('=?')) {
    text = text
      .replaceAll(/\?=[\t ]+=\?/g, '?==?')
      .replaceAll(/=\?[^?]*\?([bq])\?([^?]*)\?=/gi, (_, coding: string, word: string) =>
        coding.toLowerCase() === 'b'
          ? Buffer.from(word, 'base64').toString('latin1')
          : octets(word, /=([0-9a-f]{2})/gi),
      );
  }
  return text.includes('%') ? octets(text, /%([0-9a-f]{2})/gi) : text;
}

function withContinuationsJoined(value: string): string {
  let joined = '';
  for (const part of value.split(';')) {
    const continued = /^\s*(?:file)?name\*[0-9]{1,4}\*?\s*=\s*"?/i.exec(part);
    if (continued === null) joined += `;${part}`;
    else joined = withoutEndQuote(joined) + part.slice(continued[0].length);
  }
  return joined;
}

function withoutEndQuote(text: string): string {
  let end = text.length;
  while (end > 0 && '" \t'.includes(text[end - 1] as string)) end--;
  return text.slice(0, end);
}

function octets(text: string, escape: RegExp): string {
  return text.replaceAll(escape, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
