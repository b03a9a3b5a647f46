// Who asks, as PolicyTest documents and `policy explain --principal` name them: made up, never verified.
// What is left out is harmless: no groups, no email, an organisation that no rule names. Cold.
import { NEVER } from '#model/clock.ts';
import type { Credential } from '#model/principal.ts';
import type { PolicyProblem } from './problem.ts';
import { problemOfFile, sortProblems } from './problem.ts';
import { readOptionalList } from './policy-test-case.ts';
import { createFileReader, type FileReader, readOneDocument } from './yaml-document.ts';
import { type Field, readFields, readText } from './yaml-fields.ts';
import { decodeFile } from './yaml-guard.ts';

const PRINCIPAL = {
  what: 'a principal',
  required: [],
  optional: ['id', 'issuer', 'email', 'name', 'groups', 'org'],
};

export function readPrincipal(reader: FileReader, field: Field): Credential | null {
  const fields = readFields(reader, field.node, field.valueOffset, PRINCIPAL);
  if (fields === null) return null;
  const text = (name: string): string | null => {
    const one = fields.get(name);
    return one === undefined ? null : readText(reader, one, {});
  };
  const groups = fields.get('groups');
  return {
    principal: {
      id: text('id') ?? 'test',
      issuer: text('issuer') ?? 'test',
      email: text('email'),
      name: text('name'),
      groups: (groups && readOptionalList(reader, groups, (item) => readText(reader, item, {}))) ?? [],
      org: text('org') ?? 'test',
    },
    keyId: 'test',
    expiresAt: NEVER,
  };
}

/** A file that holds one principal. */
export function parsePrincipalFile(
  file: string,
  bytes: Uint8Array,
): { readonly credential: Credential | null; readonly problems: readonly PolicyProblem[] } {
  const decoded = decodeFile(bytes);
  if ('refused' in decoded) return { credential: null, problems: [problemOfFile(file, decoded.refused)] };
  const reader = createFileReader(file, decoded.text);
  const root = readOneDocument(reader, decoded.text);
  if (root === undefined) return { credential: null, problems: sortProblems(reader.problems) };
  const [offset] = root.range;
  const credential = readPrincipal(reader, { name: 'principal', offset, node: root, valueOffset: offset });
  return { credential, problems: sortProblems(reader.problems) };
}
