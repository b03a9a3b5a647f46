// Looks at a file line by line, without a lexer: the number of lines, documents, keys of one mapping and items of one
// list. Guarantees: linear, and nothing allocated but one number per depth. What it counts is close to what a parser
// sees, never less by more than brackets explain, which the lexer's pass counts. Cold.
import type { YamlBounds } from './yaml-bounds.ts';
import type { GuardFinding } from './yaml-guard.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const HASH = 0x23;
const DASH = 0x2d;
const DOT = 0x2e;

/** The lines at one indentation since the last line that stood further left. */
interface Level {
  readonly indent: number;
  keys: number;
  items: number;
}

export function inspectLines(text: string, bounds: YamlBounds): GuardFinding | null {
  const levels: Level[] = [];
  let lines = 0;
  let idle = 0;
  let documents = 1;
  let nextColon = -1;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    if (++lines > bounds.lines) return { offset: start, message: `more than ${bounds.lines} lines` };
    const first = firstOf(text, start, end);
    if (first === end || text.charCodeAt(first) === HASH) {
      if (++idle > bounds.idleLines) return { offset: start, message: IDLE };
    } else if (first === start && isDocumentMark(text, start)) {
      idle = 0;
      levels.length = 0;
      if (++documents > bounds.documents) return { offset: start, message: 'too many documents in one file' };
    } else {
      idle = 0;
      if (nextColon !== Infinity && nextColon < first) nextColon = indexOrInfinity(text, first);
      const isItem = text.charCodeAt(first) === DASH || nextColon >= end;
      const message = count(levels, first - start, isItem, bounds);
      if (message !== null) return { offset: first, message };
    }
    start = end + 1;
  }
  return null;
}

const IDLE = 'too many lines in a row without anything but comments';

/** Of the first character that is no space; `end` for a blank line. */
function firstOf(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) === SPACE) at++;
  const code = text.charCodeAt(at);
  return code === RETURN && at === end - 1 ? end : at;
}

function isDocumentMark(text: string, start: number): boolean {
  const code = text.charCodeAt(start);
  if (code !== DASH && code !== DOT) return false;
  if (text.charCodeAt(start + 1) !== code || text.charCodeAt(start + 2) !== code) return false;
  const after = text.charCodeAt(start + 3);
  return Number.isNaN(after) || after === NEWLINE || after === RETURN || after === SPACE || after === TAB;
}

function indexOrInfinity(text: string, from: number): number {
  const found = text.indexOf(':', from);
  return found === -1 ? Infinity : found;
}

function count(levels: Level[], indent: number, isItem: boolean, bounds: YamlBounds): string | null {
  let level = levels.at(-1);
  while (level !== undefined && level.indent > indent) {
    levels.pop();
    level = levels.at(-1);
  }
  if (level === undefined || level.indent < indent) {
    level = { indent, keys: 0, items: 0 };
    if (levels.push(level) > bounds.levels) return 'nested too deeply';
  }
  if (isItem) return ++level.items > bounds.items ? 'too many items in one list' : null;
  return ++level.keys > bounds.keys ? 'too many keys in one mapping' : null;
}
