// JSON read in one way only: duplicate members are refused, since another parser may keep the other one (the class
// of attack in RFC 8259 section 4), and so is deep nesting. For tokens and for the bodies that rules look into.
// Linear; the names of the prototype are plain data. Runs once per token, and once per body that a rule has to see.

const MAX_TOKEN_DEPTH = 32;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export type JsonObject = Readonly<Record<string, unknown>>;

/** `ambiguous`: a member stands twice in one object, escapes resolved. `deep`: nested beyond the bound. */
export type JsonFlaw = 'malformed' | 'ambiguous' | 'deep';

export interface StrictJson {
  /** Undefined exactly when there is a flaw. */
  readonly value: unknown;
  readonly flaw: JsonFlaw | null;
}

/** The value that `text` is; never throws. `maxDepth`: lists and objects within each other. */
export function parseStrictJson(text: string, maxDepth: number): StrictJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { value: undefined, flaw: 'malformed' };
  }
  const flaw = findFlaw(text, maxDepth);
  return flaw === null ? { value, flaw } : { value: undefined, flaw };
}

/** The object that `text` is; null for anything else, duplicate members and nesting deeper than 32 included. */
export function parseStrictObject(text: string): JsonObject | null {
  const { value } = parseStrictJson(text, MAX_TOKEN_DEPTH);
  return isJsonObject(value) ? value : null;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own member, never one of the prototype: claims come with names like `constructor`. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** `json` is known to be well formed, so structure can be followed without checking it again. */
function findFlaw(json: string, maxDepth: number): JsonFlaw | null {
  const open: (Set<string> | null)[] = [];
  let names: Set<string> | null = null;
  let nameIsNext = false;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) {
      const end = endOfString(json, i);
      if (nameIsNext && names !== null) {
        const name = nameIn(json.slice(i, end + 1));
        if (names.has(name)) return 'ambiguous';
        names.add(name);
        nameIsNext = false;
      }
      i = end;
    } else if (code === COMMA) {
      nameIsNext = names !== null;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (open.length === maxDepth) return 'deep';
      names = code === OPEN_OBJECT ? new Set() : null;
      nameIsNext = names !== null;
      open.push(names);
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      open.pop();
      names = open.at(-1) ?? null;
      nameIsNext = false;
    }
  }
  return null;
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
