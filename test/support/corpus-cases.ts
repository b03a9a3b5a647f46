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
  /** An advisory, a section of an RFC, or a product's documented behaviour; read as text. */
  readonly source: string;
  readonly note?: string;
  readonly form: Form;
  /** Ahead of `headers` and `rest`. */
  readonly line?: string;
  readonly expect?: Expected;
  readonly cases: readonly (string | Partial<Row & { readonly bytes: string }>)[];
}

export interface CorpusCase {
  readonly id: string;
  /** Of REQUEST-SAFETY.md, "Classes of bypass": 1 to 26. */
  readonly class: number;
  readonly about: string;
  readonly source: string;
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

/** One file of the corpus. Rows that are not requests say at the top of their file which `kind` they are. */
export interface CorpusFile {
  readonly name: string;
  /** `requests` unless it says otherwise; the others are judged by `test/corpus/kinds.ts`. */
  readonly kind: string;
  /** Each with an id, a class and a source; of the shape of their kind. */
  readonly rows: readonly CorpusRow[];
}

/** What every row of every kind says. */
export type CorpusRow = Pick<Row, 'id' | 'class' | 'about' | 'source'>;

/** Every file, by name. Throws when a row says too little or an id is taken twice. */
export function corpusFiles(folder: string): readonly CorpusFile[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()
    .map((name) => {
      const { kind = 'requests', rows } = parse(readFileSync(join(folder, name), 'utf8')) as {
        kind?: string;
        rows: CorpusRow[];
      };
      return { name, kind, rows };
    });
  const ids = new Set<string>();
  for (const row of files.flatMap(({ rows }) => rows)) {
    if (ids.has(row.id)) throw new Error(`${row.id} is there twice`);
    ids.add(row.id);
    checkRow(row);
  }
  return files;
}

function checkRow(row: Partial<CorpusRow>): void {
  if (typeof row.id !== 'string' || typeof row.about !== 'string' || row.about === '')
    throw new Error(`${row.id ?? 'a row'} says too little`);
  const { id, class: number = 0, source } = row;
  if (!Number.isInteger(number) || number < 1 || number > 26) throw new Error(`${id} is of no class`);
  if (typeof source !== 'string' || source.trim() === '') throw new Error(`${id} has no source`);
}

/** The hand-written requests; what other kinds of files hold is left out. */
export function corpusCases(folder: string): readonly CorpusCase[] {
  return corpusFiles(folder)
    .filter(({ kind }) => kind === 'requests')
    .flatMap(({ rows }) => rows as readonly Row[])
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
    const { class: number, about, source } = { ...row, ...own };
    return { id, class: number, about, source, shown, bytes, method, target, expect };
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
