// Refuses hostile YAML before it is parsed: too many bytes, bytes that are no UTF-8, nesting that would exhaust a
// recursive parser (CVE-2026-33532), and more lines, keys or values than it would parse in reasonable time.
// Cold; linear in the size of the file, and stops at the first bound that is broken (npm run bench:policy-input).
import { CST, Lexer } from 'yaml';
import { POLICY_BOUNDS, type YamlBounds } from './yaml-bounds.ts';
import { inspectLines } from './yaml-lines.ts';

/**
 * What is valid but for its end costs what a valid file costs, and the gate stands still meanwhile: at this size some
 * 40 ms (`npm run bench:policy-input`). A larger set is several files.
 */
export const MAX_FILE_BYTES = 64 * 1024;
const MAX_FLOW_DEPTH = 32;
/** `- - - -` and `? ? ?` nest without brackets or indentation. */
const MAX_INDICATORS_PER_LINE = 16;
const MAX_INDENT = 256;
/** Anchors, aliases and tags that are told one by one. */
const MAX_FORBIDDEN = 20;

export interface GuardFinding {
  /** In UTF-16 units from the start of the text. */
  readonly offset: number;
  readonly message: string;
}

/** The text of a file, or what forbids reading it. */
export function decodeFile(bytes: Uint8Array): { readonly text: string } | { readonly refused: string } {
  if (bytes.byteLength > MAX_FILE_BYTES) return { refused: tooLarge(bytes.byteLength) };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { refused: 'the file is not UTF-8' };
  }
}

export function tooLarge(bytes: number): string {
  return `the file has ${bytes} bytes, more than the limit of ${MAX_FILE_BYTES}: split it into several`;
}

export interface Inspection {
  /** Forbids parsing at all; null when the text may be given to the parser. */
  readonly hostile: GuardFinding | null;
  /** Anchors, aliases and tags, which no policy needs: in the order in which they stand. */
  readonly forbidden: readonly GuardFinding[];
}

const FORBIDDEN: Readonly<Record<string, string>> = {
  alias: 'an alias (`*`) is not allowed: write the value out',
  anchor: 'an anchor (`&`) is not allowed',
  tag: 'a tag (`!`) is not allowed',
};

export function inspectYaml(text: string, bounds: YamlBounds = POLICY_BOUNDS): Inspection {
  const forbidden: GuardFinding[] = [];
  const hostile =
    findHostileCharacter(text) ?? inspectLines(text, bounds) ?? inspectTokens(text, bounds, forbidden);
  return { hostile, forbidden };
}

function inspectTokens(text: string, bounds: YamlBounds, forbidden: GuardFinding[]): GuardFinding | null {
  const shape = new Shape(bounds);
  let offset = 0;
  let lineStart = true;
  let isContent = false;
  for (const token of new Lexer().lex(text)) {
    // Marks of the lexer's own, which are no part of the text; what follows this one is content.
    if (token === CST.SCALAR || token === CST.DOCUMENT || token === CST.FLOW_END) {
      isContent = token === CST.SCALAR;
      if (token === CST.FLOW_END) shape.leaveBrackets();
      continue;
    }
    const type = isContent ? 'scalar' : CST.tokenType(token);
    if (type === 'directive-line') return { offset, message: 'a directive (`%`) is not allowed' };
    if (type === 'space' && lineStart && token.length > MAX_INDENT) {
      return { offset, message: `indented by more than ${MAX_INDENT} spaces` };
    }
    const broken = shape.take(type, token.length);
    if (broken !== null) return { offset, message: broken };
    const message = type === null ? undefined : FORBIDDEN[type];
    if (message !== undefined && forbidden.push({ offset, message }) >= MAX_FORBIDDEN) {
      return { offset, message: 'too many anchors, aliases and tags: the rest is not read' };
    }
    lineStart = type === 'newline';
    isContent = false;
    offset += token.length;
  }
  return null;
}

/** What one pass over the tokens counts: depth and items in brackets, values and indicators of a line outside them. */
class Shape {
  readonly #bounds: YamlBounds;
  /** Commas so far in each bracket that is open. */
  readonly #commas = new Int32Array(MAX_FLOW_DEPTH + 1);
  #depth = 0;
  #indicators = 0;
  #values = 0;

  constructor(bounds: YamlBounds) {
    this.#bounds = bounds;
  }

  /** An unclosed bracket ended where the lexer went back to lines. */
  leaveBrackets(): void {
    this.#depth = 0;
  }

  /** Which bound this token breaks, as a message. */
  take(type: string | null, length: number): string | null {
    switch (type) {
      case 'newline':
        this.#indicators = 0;
        this.#values = 0;
        return null;
      case 'flow-map-start':
      case 'flow-seq-start':
        if (++this.#depth > MAX_FLOW_DEPTH) return TOO_DEEP;
        this.#commas[this.#depth] = 0;
        return null;
      case 'flow-map-end':
      case 'flow-seq-end':
        return --this.#depth < 0 ? 'a closing bracket without one that opens' : null;
      case 'comma':
        return this.#takeItem();
      case 'seq-item-ind':
      case 'explicit-key-ind':
      case 'map-value-ind':
        return this.#depth === 0 && ++this.#indicators > MAX_INDICATORS_PER_LINE ? TOO_DEEP : null;
      default:
        return isValue(type) ? this.#takeValue(length) : null;
    }
  }

  #takeItem(): string | null {
    const items = (this.#commas[this.#depth] ?? 0) + 1;
    this.#commas[this.#depth] = items;
    return items > this.#bounds.flowItems ? TOO_MANY : null;
  }

  #takeValue(length: number): string | null {
    if (length > this.#bounds.valueLength)
      return `a value of more than ${this.#bounds.valueLength} characters`;
    if (this.#depth > 0) return null;
    return ++this.#values > this.#bounds.valuesPerLine ? 'too many values on one line' : null;
  }
}

const TOO_DEEP = 'nested too deeply';
const TOO_MANY = 'too many items in one list or mapping';

function isValue(type: string | null): boolean {
  return type === 'scalar' || type === 'single-quoted-scalar' || type === 'double-quoted-scalar';
}

/**
 * Control characters, C1 included, and those that reorder text on a screen: what a reviewer reads must be what is
 * there (CVE-2021-42574), and no line of a report may steer a terminal.
 */
const HOSTILE_CHARACTER = /[[\p{Cc}--[\t\n\r]]\u{2028}-\u{202e}\u{2066}-\u{2069}\u{feff}]/v;

function findHostileCharacter(text: string): GuardFinding | null {
  if (text.startsWith('\u{FEFF}')) {
    return { offset: 0, message: 'the file starts with a byte order mark; save it as UTF-8 without one' };
  }
  const offset = text.search(HOSTILE_CHARACTER);
  if (offset === -1) return null;
  const isControl = /\p{Cc}/u.test(text.charAt(offset));
  const what = isControl ? 'a control character' : 'a character that hides or reorders text';
  return { offset, message: `${what} is not allowed` };
}
