// JSON objects out of tokens, read in one way only: duplicate members are refused, since another parser may
// keep the other one (the class of attack in RFC 8259 section 4), and so is deep nesting. Runs once per token.

const MAX_DEPTH = 32;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object that `text` is; null for anything else, duplicate members and nesting deeper than 32 included. */
export function parseStrictObject(text: string): JsonObject | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isJsonObject(value) && isUnambiguous(text) ? value : null;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own member, never one of the prototype: claims come with names like `constructor`. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** `json` is known to be well formed, so structure can be followed without checking it again. */
function isUnambiguous(json: string): boolean {
  const open: (Set<string> | null)[] = [];
  let names: Set<string> | null = null;
  let nameIsNext = false;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) {
      const end = endOfString(json, i);
      if (nameIsNext && names !== null) {
        const name = nameIn(json.slice(i, end + 1));
        if (names.has(name)) return false;
        names.add(name);
        nameIsNext = false;
      }
      i = end;
    } else if (code === COMMA) {
      nameIsNext = names !== null;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (open.length === MAX_DEPTH) return false;
      names = code === OPEN_OBJECT ? new Set() : null;
      nameIsNext = names !== null;
      open.push(names);
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      open.pop();
      names = open.at(-1) ?? null;
      nameIsNext = false;
    }
  }
  return true;
}

function endOfString(json: string, start: number): number {
  let i = start + 1;
  for (;;) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) return i;
    i += code === BACKSLASH ? 2 : 1;
  }
}

/** `"\u0069ss"` and `"iss"` are the same name. */
function nameIn(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}
