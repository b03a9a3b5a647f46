// The bypass corpus as data: reads `test/security/corpus/*.yaml` and expands each row into cases of raw bytes.
// A case that says nothing of its own takes its row's `form`, `line` and `expect`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** What must happen; exactly one of the three: a rule denies, the gate refuses, or one request is forwarded. */
export interface Expected {
  readonly rule?: string;
  readonly status?: number;
  readonly reason?: string;
  /** The exact target; `same` is the one that was sent. */
  readonly forwarded?: string;
  /** Of the forwarded request; the one sent by default. */
  readonly method?: string;
  readonly body?: string;
  /** Names, in lower case, that must not arrive. */
  readonly absent?: readonly string[];
  /** Headers that must arrive, each once; names in lower case. */
  readonly present?: Readonly<Record<string, string>>;
  /** The gate must close the connection by itself. */
  readonly closes?: boolean;
  /** Exchanges in the journal, where the bytes are more than one request; the first one is the case's. */
  readonly records?: number;
}

/** How a case's text becomes bytes: a target of a GET, a request line, header lines, a whole head or everything. */
type Form = 'target' | 'line' | 'headers' | 'rest' | 'raw';

interface Row {
  readonly id: string;
  /** Of REQUEST-SAFETY.md, "Classes of bypass". */
  readonly class: number;
  readonly about: string;
  readonly source?: string;
  readonly note?: string;
  readonly form: Form;
  /** Ahead of `headers` and `rest`. */
  readonly line?: string;
  readonly expect?: Expected;
  readonly cases: readonly (string | Partial<Row & { readonly bytes: string }>)[];
}

export interface CorpusCase {
  readonly id: string;
  readonly about: string;
  /** The case as written, for the test's name. */
  readonly shown: string;
  /** Placeholders are still in it. */
  readonly bytes: string;
  readonly method: string;
  readonly target: string;
  readonly expect: Expected;
}

const FORMS: Readonly<Record<Form, (text: string, line: string) => string>> = {
  target: (text) => `GET ${text} HTTP/1.1\r\n<HEAD>\r\n\r\n`,
  line: (text) => `${text}\r\n<HEAD>\r\n\r\n`,
  headers: (text, line) => `${line}\r\n<HEAD>\r\n${text}\r\n\r\n`,
  rest: (text, line) => `${line}\r\n<HEAD>\r\n${text}`,
  raw: (text) => text,
};

export function corpusCases(folder: string): readonly CorpusCase[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()
    .flatMap((name) => (parse(readFileSync(join(folder, name), 'utf8')) as { rows: Row[] }).rows)
    .flatMap(casesOf);
}

function casesOf(row: Row): CorpusCase[] {
  return row.cases.map((item, index) => {
    const own = typeof item === 'string' ? { bytes: item } : item;
    const id = `${row.id}.${index + 1}`;
    const expect = own.expect ?? row.expect;
    if (own.bytes === undefined || expect === undefined) throw new Error(`${id} says too little`);
    const bytes = FORMS[own.form ?? row.form](own.bytes, own.line ?? row.line ?? 'GET /me HTTP/1.1');
    const [, method = '', target = ''] = /^\s*(\S+) +(\S+)/.exec(fillIn(bytes, '', '')) ?? [];
    const shown = JSON.stringify(own.bytes).slice(1, 100);
    return { id, about: row.about, shown, bytes, method, target, expect };
  });
}

/** `<HEAD>`: Host and Authorization; `<HOST>`, `<TOKEN>`: their values; `<5000 x>`: that text so many times. */
export function fillIn(bytes: string, host: string, token: string): string {
  return bytes
    .replaceAll('<HEAD>', `Host: ${host}\r\nAuthorization: Bearer ${token}`)
    .replaceAll('<HOST>', host)
    .replaceAll('<TOKEN>', token)
    .replaceAll(/<(\d+) ([^>]*)>/g, (_whole, count: string, text: string) => text.repeat(Number(count)));
}
