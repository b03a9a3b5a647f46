// Which hosts a document is about: exact names and `*.name`. Reading them is cold; matching is hot and allocates
// nothing. Host names are compared in lower case and without a trailing dot, as resolvers do (RFC 4343).
import { report, type FileReader } from './yaml-document.ts';
import { type Field, quoted, readList, readText } from './yaml-fields.ts';

/** Frozen. What `*` alone means is no HostSet at all, but null. */
export interface HostSet {
  /** As written, in lower case, sorted. */
  readonly names: readonly string[];
  readonly exact: ReadonlySet<string>;
  /** With the leading dot: `.example.com` for `*.example.com`, which is any name below it, at any depth. */
  readonly suffixes: readonly string[];
}

/** RFC 1123 section 2.1, with `*.` in front for every name below; or an IPv6 address in brackets. */
const HOST = {
  pattern:
    /^(?:\*|\[[0-9A-Fa-f:.]{2,45}\]|(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*)$/,
  form: 'a host name without a port, such as app.example.com or *.example.com',
  maxLength: 253,
};

/** Null: every host, as without the key. After a report, the hosts that could be read. */
export function readHosts(reader: FileReader, field: Field | undefined): HostSet | null {
  if (field === undefined) return null;
  const names = readList(reader, field, (item) => {
    const name = readText(reader, item, HOST);
    return name === null ? null : name.toLowerCase();
  });
  if (names === null) return null;
  if (!names.includes('*')) return compileHosts(names);
  const other = names.find((name) => name !== '*');
  if (other !== undefined) {
    report(reader, field.valueOffset, `"*" is every host, so ${quoted(other)} adds nothing`);
  }
  return null;
}

/** `names` in lower case. */
export function compileHosts(names: readonly string[]): HostSet {
  const sorted = names.toSorted();
  return Object.freeze({
    names: Object.freeze(sorted),
    exact: new Set(sorted.filter((name) => !name.startsWith('*'))),
    suffixes: Object.freeze(sorted.filter((name) => name.startsWith('*.')).map((name) => name.slice(1))),
  });
}

/** `host` in lower case, without a port. */
export function hostsCover(hosts: HostSet, host: string): boolean {
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  if (hosts.exact.has(name)) return true;
  for (let i = 0; i < hosts.suffixes.length; i++) {
    const suffix = hosts.suffixes[i] as string;
    if (name.length > suffix.length && name.endsWith(suffix)) return true;
  }
  return false;
}
