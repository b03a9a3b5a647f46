// A curl command → the request that curl would send. Guarantees: nothing is executed and no file is read; an option
// that is not known, or that would read a file, is refused by name; values never appear in what is refused. Not hot.
import { suggestion } from '#policy/problem.ts';
import { type CurlAction, type CurlFlag, LONG_FLAG_NAMES, longFlag, shortFlag } from './curl-flags.ts';
import { composeRequest, type CurlParts } from './curl-request.ts';
import type { DescribedOrRefused } from './described-request.ts';
import { splitShellWords } from './shell-words.ts';

/** Whether the text is meant as one: its first word is `curl`, a prompt or a path before it taken off. */
export function isCurlCommand(text: string): boolean {
  return COMMAND.test(text);
}

const COMMAND = /^\s*(?:[$%>]\s+)?(?:[^\s'"]*\/)?curl(?:\.exe)?(?=\s|$)/;

export function readCurlCommand(text: string): DescribedOrRefused {
  const split = splitShellWords(text.replace(COMMAND, ''));
  if ('refused' in split) return { refused: [split.refused] };
  const reader = new CurlReader(split.words);
  return reader.read();
}

class CurlReader implements CurlParts {
  method: string | null = null;
  readonly urls: string[] = [];
  readonly headerLines: string[] = [];
  readonly data: Buffer[] = [];
  readonly forms: (readonly [name: string, value: string])[] = [];
  user: string | null = null;
  bearer: string | null = null;
  userAgent: string | null = null;
  referer: string | null = null;
  range: string | null = null;
  readonly cookies: string[] = [];
  isJson = false;
  isHead = false;
  isGet = false;
  isCompressed = false;
  pathAsIs = false;
  private readonly refused: string[] = [];
  private readonly words: readonly Buffer[];
  private at = 0;

  constructor(words: readonly Buffer[]) {
    this.words = words;
  }

  read(): DescribedOrRefused {
    let onlyUrls = false;
    for (let word = this.next(); word !== null; word = this.next()) {
      const text = this.textOf(word);
      if (onlyUrls || !text.startsWith('-') || text === '-') this.urls.push(text);
      else if (text === '--') onlyUrls = true;
      else if (text.startsWith('--')) this.long(text);
      else this.short(word, text);
    }
    return this.refused.length > 0 ? { refused: this.refused } : composeRequest(this);
  }

  private next(): Buffer | null {
    const word = this.words[this.at];
    this.at += 1;
    return word ?? null;
  }

  private textOf(bytes: Buffer): string {
    const text = bytes.toString('utf8');
    if (!Buffer.from(text).equals(bytes)) this.refused.push('a word of the command is not UTF-8');
    return text;
  }

  private long(text: string): void {
    const flag = longFlag(text.slice(2));
    if (flag === null) {
      // Of an unknown option only its name is repeated.
      const [name = ''] = text.split('=', 1);
      this.refused.push(`curl’s option ${name} is not known here${suggestion(name, LONG_FLAG_NAMES)}`);
    } else this.use(flag, flag.takesValue ? this.next() : null);
  }

  /** `-XPOST`, `-sSLd x`, `-X POST`. */
  private short(word: Buffer, text: string): void {
    for (let i = 1; i < text.length; i++) {
      const flag = shortFlag(text[i] as string);
      if (flag === null) {
        this.refused.push(`curl’s option -${text[i]} is not known here`);
        return;
      }
      if (flag.takesValue) {
        // Letters before the value are ASCII, so characters are bytes.
        this.use(flag, i + 1 < text.length ? word.subarray(i + 1) : this.next());
        return;
      }
      this.use(flag, null);
    }
  }

  private use({ name, takesValue, effect }: CurlFlag, value: Buffer | null): void {
    if (takesValue && value === null) this.refused.push(`curl’s option ${name} needs a value`);
    else if (effect === 'file') {
      this.refused.push(
        `curl’s option ${name} reads a file, which is never done here: write out what is sent`,
      );
    } else if (effect === 'several') {
      this.refused.push(`curl’s option ${name} begins a second request: explain takes one`);
    } else if (effect !== 'ignored') this.act(effect, name, value ?? Buffer.alloc(0));
  }

  private act(effect: CurlAction, name: string, value: Buffer): void {
    switch (effect) {
      case 'get':
        this.isGet = true;
        break;
      case 'head':
        this.isHead = true;
        break;
      case 'compressed':
        this.isCompressed = true;
        break;
      case 'pathAsIs':
        this.pathAsIs = true;
        break;
      case 'dataRaw':
        this.data.push(value);
        break;
      case 'data':
        if (this.isNoFile(name, value)) this.data.push(value);
        break;
      case 'json':
        this.isJson = true;
        if (this.isNoFile(name, value)) this.data.push(value);
        break;
      default:
        this.actOnText(effect, name, this.textOf(value));
    }
  }

  private actOnText(effect: CurlAction, name: string, value: string): void {
    switch (effect) {
      case 'method':
        this.method = value;
        break;
      case 'url':
        this.urls.push(value);
        break;
      case 'header':
        if (this.isNoFile(name, Buffer.from(value))) this.headerLines.push(value);
        break;
      case 'dataUrlencode':
        this.urlencoded(name, value);
        break;
      case 'form':
      case 'formString':
        this.form(effect, name, value);
        break;
      case 'cookie':
        if (value.includes('=')) this.cookies.push(value);
        else this.refuseFile(name);
        break;
      case 'user':
      case 'bearer':
      case 'userAgent':
      case 'referer':
      case 'range':
        this[effect] = value;
        break;
      default:
    }
  }

  /** `@name` is a file. */
  private isNoFile(name: string, value: Buffer): boolean {
    if (value[0] !== 0x40) return true;
    this.refuseFile(name);
    return false;
  }

  private refuseFile(name: string): void {
    const instead = 'which is never done here: leave it out and use --body FILE';
    this.refused.push(`curl’s option ${name} names a file to be read, ${instead}`);
  }

  /** `content`, `=content`, `name=content`; with `@` a file. */
  private urlencoded(name: string, value: string): void {
    const [, key = '', mark = '', content = ''] = /^([^=@]*)([=@]?)(.*)$/s.exec(value) ?? [];
    if (mark === '@') {
      this.refuseFile(name);
      return;
    }
    const encoded = percentEncoded(mark === '' ? key : content);
    this.data.push(Buffer.from(mark === '=' && key !== '' ? `${key}=${encoded}` : encoded));
  }

  private form(effect: 'form' | 'formString', name: string, value: string): void {
    const equals = value.indexOf('=');
    if (equals === -1) {
      this.refused.push(`curl’s option ${name} needs name=value`);
      return;
    }
    const content = value.slice(equals + 1);
    if (effect === 'form' && /^[@<]/.test(content)) this.refuseFile(name);
    else this.forms.push([value.slice(0, equals), content]);
  }
}

/** All but unreserved characters (RFC 3986 section 2.3), as curl has it. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(/[!'()*]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}
