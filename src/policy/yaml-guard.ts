// Refuses hostile YAML before it is parsed: too many bytes, bytes that are no UTF-8, and nesting that would
// exhaust a recursive parser (CVE-2026-33532) or simply its time. Cold; linear in the size of the file.
import { CST, Lexer } from 'yaml';

export const MAX_FILE_BYTES = 1024 * 1024;
const MAX_FLOW_DEPTH = 32;
/** `- - - -` and `? ? ?` nest without brackets or indentation. */
const MAX_INDICATORS_PER_LINE = 16;
const MAX_INDENT = 256;

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
  return `the file has ${bytes} bytes, more than the limit of ${MAX_FILE_BYTES}`;
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

export function inspectYaml(text: string): Inspection {
  const forbidden: GuardFinding[] = [];
  const hostile = findHostileCharacter(text) ?? inspectTokens(text, forbidden);
  return { hostile, forbidden };
}

function inspectTokens(text: string, forbidden: GuardFinding[]): GuardFinding | null {
  let offset = 0;
  let flowDepth = 0;
  let indicators = 0;
  let lineStart = true;
  let isContent = false;
  for (const token of new Lexer().lex(text)) {
    // Marks of the lexer's own, which are no part of the text; what follows this one is content.
    if (token === CST.SCALAR || token === CST.DOCUMENT || token === CST.FLOW_END) {
      isContent = token === CST.SCALAR;
      continue;
    }
    const type = isContent ? 'scalar' : CST.tokenType(token);
    if (type === 'directive-line') return { offset, message: 'a directive (`%`) is not allowed' };
    if (type === 'space' && lineStart && token.length > MAX_INDENT) {
      return { offset, message: `indented by more than ${MAX_INDENT} spaces` };
    }
    if (type === 'flow-map-start' || type === 'flow-seq-start') flowDepth++;
    if (type === 'flow-map-end' || type === 'flow-seq-end') flowDepth--;
    if (type === 'newline') indicators = 0;
    else if (flowDepth <= 0 && isIndicator(type)) indicators++;
    if (flowDepth > MAX_FLOW_DEPTH || indicators > MAX_INDICATORS_PER_LINE) {
      return { offset, message: 'nested too deeply' };
    }
    const message = type === null ? undefined : FORBIDDEN[type];
    if (message !== undefined) forbidden.push({ offset, message });
    lineStart = type === 'newline';
    isContent = false;
    offset += token.length;
  }
  return null;
}

function isIndicator(type: string | null): boolean {
  return type === 'seq-item-ind' || type === 'explicit-key-ind' || type === 'map-value-ind';
}

function findHostileCharacter(text: string): GuardFinding | null {
  if (text.startsWith('\u{FEFF}')) {
    return { offset: 0, message: 'the file starts with a byte order mark; save it as UTF-8 without one' };
  }
  for (let offset = 0; offset < text.length; offset++) {
    const code = text.charCodeAt(offset);
    const isControl = code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d;
    if (isControl || code === 0x7f) return { offset, message: 'a control character is not allowed' };
  }
  return null;
}
