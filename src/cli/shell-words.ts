// A command line as a POSIX shell would split it into words (IEEE Std 1003.1, 2.2 Quoting), with the `$'…'` strings of
// browsers' "copy as cURL". Guarantees: nothing is expanded, looked up or executed; what only a shell could make of
// the text (variables, substitutions, pipes, redirections) is refused in words. Not hot.

/** Words as bytes, since `$'\xff'` names one; or why there are none, as a sentence. */
export type ShellWords = { readonly words: readonly Buffer[] } | { readonly refused: string };

export function splitShellWords(text: string): ShellWords {
  const scanner = new Scanner(text);
  return scanner.run();
}

const BLANK = new Set([' ', '\t', '\n', '\r']);
const OPERATORS: Readonly<Record<string, string>> = {
  '|': 'an unquoted | begins another command: leave it out',
  ';': 'an unquoted ; ends the command: put the word in quotes, or leave out what follows',
  '&': 'an unquoted & ends the command: put the URL in quotes',
  '<': 'an unquoted < reads a file: leave it out',
  '>': 'an unquoted > writes a file: leave it out',
  '(': 'an unquoted parenthesis is for a shell: put the word in quotes',
  ')': 'an unquoted parenthesis is for a shell: put the word in quotes',
  '`': 'a backquote runs a command, which is never done here',
};
const NAME_START = /[A-Za-z_0-9{(@*#?$!-]/;

/** Thrown and caught in this file alone. */
class Refusal extends Error {}

class Scanner {
  private readonly text: string;
  private at = 0;
  private readonly words: Buffer[] = [];
  private parts: Buffer[] = [];
  /** Whether a word has begun: `''` is one. */
  private open = false;

  constructor(text: string) {
    this.text = text;
  }

  run(): ShellWords {
    try {
      while (this.at < this.text.length) this.step();
      this.endWord();
      return { words: this.words };
    } catch (error) {
      if (error instanceof Refusal) return { refused: error.message };
      throw error;
    }
  }

  private step(): void {
    const char = this.text[this.at] as string;
    if (BLANK.has(char)) {
      this.at += 1;
      this.endWord();
    } else if (char === '\\') this.backslash();
    else if (char === "'") this.single();
    else if (char === '"') this.double();
    else if (char === '$') this.dollar();
    else if (Object.hasOwn(OPERATORS, char)) throw new Refusal(OPERATORS[char]);
    else this.take();
  }

  private endWord(): void {
    if (this.open) this.words.push(Buffer.concat(this.parts));
    this.parts = [];
    this.open = false;
  }

  private push(bytes: Buffer): void {
    this.open = true;
    this.parts.push(bytes);
  }

  /** A whole character, surrogate pairs included. */
  private take(): void {
    const length = (this.text.codePointAt(this.at) ?? 0) > 0xffff ? 2 : 1;
    this.push(Buffer.from(this.text.slice(this.at, this.at + length)));
    this.at += length;
  }

  private backslash(): void {
    this.at += 1;
    if (this.at === this.text.length) throw new Refusal('the text ends in a backslash');
    if (this.skipLineBreak()) return;
    this.take();
  }

  /** A backslash before a line break joins the lines; with CR LF too, as pasted from elsewhere. */
  private skipLineBreak(): boolean {
    const length = this.text.startsWith('\r\n', this.at) ? 2 : this.text[this.at] === '\n' ? 1 : 0;
    this.at += length;
    return length > 0;
  }

  private single(): void {
    const end = this.text.indexOf("'", this.at + 1);
    if (end === -1) throw new Refusal('a single quote is not closed');
    this.push(Buffer.from(this.text.slice(this.at + 1, end)));
    this.at = end + 1;
  }

  private double(): void {
    this.push(Buffer.alloc(0));
    this.at += 1;
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) throw new Refusal('a double quote is not closed');
      if (char === '"') break;
      if (char === '`') throw new Refusal(OPERATORS['`']);
      if (char === '$' && NAME_START.test(this.text[this.at + 1] ?? '')) this.refuseVariable();
      if (char === '\\') {
        this.at += 1;
        if (this.skipLineBreak()) continue;
        // Before any other character the backslash is itself.
        if (!/["$`\\]/.test(this.text[this.at] ?? '')) this.push(Buffer.from('\\'));
        if (this.text[this.at] === undefined) continue;
      }
      this.take();
    }
    this.at += 1;
  }

  private dollar(): void {
    const next = this.text[this.at + 1] ?? '';
    if (next === "'") {
      this.at += 2;
      this.ansi();
    } else if (next === '"') this.at += 1;
    else if (NAME_START.test(next)) this.refuseVariable();
    else this.take();
  }

  private refuseVariable(): never {
    throw new Refusal(
      'a $ here asks a shell to fill something in: write the value itself, or quote it singly',
    );
  }

  private ansi(): void {
    this.push(Buffer.alloc(0));
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) throw new Refusal("a $' quote is not closed");
      if (char === "'") break;
      if (char === '\\') {
        this.at += 1;
        this.escape();
      } else this.take();
    }
    this.at += 1;
  }

  private escape(): void {
    const rest = this.text.slice(this.at, this.at + 10);
    const byte = /^(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3}))/.exec(rest);
    const point = /^(?:u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8}))/.exec(rest);
    if (byte !== null) {
      const value =
        byte[1] === undefined ? Number.parseInt(byte[2] as string, 8) : Number.parseInt(byte[1], 16);
      this.pushByte(value & 0xff, byte[0].length);
    } else if (point !== null) {
      const value = Number.parseInt((point[1] ?? point[2]) as string, 16);
      if (value === 0 || value > 0x10_ffff)
        throw new Refusal("a $' quote names a character that there is not");
      this.at += point[0].length;
      this.push(Buffer.from(this.withLowSurrogate(value)));
    } else if (rest[0] === 'c' && rest[1] !== undefined) {
      this.pushByte(rest.charCodeAt(1) & 0x1f, 2);
    } else this.simpleEscape(rest[0]);
  }

  private simpleEscape(char: string | undefined): void {
    if (char === undefined) throw new Refusal("a $' quote is not closed");
    const known = SIMPLE_ESCAPES[char];
    if (known === undefined) this.push(Buffer.from('\\'));
    else {
      this.push(Buffer.from(known));
      this.at += 1;
      return;
    }
    this.take();
  }

  /** Browsers write a character beyond the basic plane as the escapes of its two halves. */
  private withLowSurrogate(high: number): string {
    if (high < 0xd800 || high > 0xdbff) return String.fromCodePoint(high);
    const low = /^\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})/.exec(this.text.slice(this.at, this.at + 6));
    if (low === null) return String.fromCodePoint(high);
    this.at += low[0].length;
    return String.fromCharCode(high, Number.parseInt(low[1] as string, 16));
  }

  private pushByte(value: number, length: number): void {
    if (value === 0) throw new Refusal('a word cannot hold a NUL byte');
    this.push(Buffer.from([value]));
    this.at += length;
  }
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  e: '\u001B',
  E: '\u001B',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '?': '?',
};
