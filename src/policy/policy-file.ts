// One policy file → its checked documents and every problem in it. The table of kinds stands here; each kind is
// a file of its own. Cold.
import type { Grant } from '#model/grant.ts';
import { type PolicyProblem, problemOfFile, sortProblems, suggestion } from './problem.ts';
import { type PlacedRule, readRoutePolicy, RULE_ID } from './route-policy.ts';
import { type PlacedAllowance, readRouteAllowance } from './route-allowance.ts';
import { readRouteSettings, type SettingsDraft } from './route-settings.ts';
import type { NarrowRouteDraft } from './narrow-routes.ts';
import { type PlacedGuard, readResponseGuard } from './response-guard.ts';
import { readSafeRoutes } from './safe-routes.ts';
import { readScopeMap, type ScopeDraft } from './scope-map.ts';
import { readApiGrant, readPolicyTest, type TestDocument } from './policy-test.ts';
import {
  createFileReader,
  type FileReader,
  readDocuments,
  readOneDocument,
  report,
} from './yaml-document.ts';
import { decodeFile } from './yaml-guard.ts';
import { type Field, quoted, readChoice, readFields, readText } from './yaml-fields.ts';
import { isScalar, type ParsedNode } from 'yaml';

/** What one file, or several in order, came to. */
export interface PolicyDocuments {
  readonly rules: PlacedRule[];
  readonly settings: SettingsDraft[];
  readonly safeRoutes: NarrowRouteDraft[];
  readonly allowances: PlacedAllowance[];
  readonly scopes: ScopeDraft[];
  readonly guards: PlacedGuard[];
  readonly tests: TestDocument[];
}

export interface ParsedPolicyFile {
  readonly documents: PolicyDocuments;
  /** Sorted. */
  readonly problems: readonly PolicyProblem[];
}

interface Opened {
  readonly reader: FileReader;
  readonly name: string;
  readonly spec: Field;
  readonly into: PolicyDocuments;
}

const KINDS: Readonly<Record<string, (opened: Opened) => void>> = {
  RoutePolicy: ({ reader, spec, into }) => {
    into.rules.push(...readRoutePolicy(reader, spec));
  },
  RouteSettings: ({ reader, spec, into }) => {
    const settings = readRouteSettings(reader, spec);
    if (settings !== null) into.settings.push(settings);
  },
  SafeRoutes: ({ reader, spec, into }) => {
    into.safeRoutes.push(...readSafeRoutes(reader, spec));
  },
  RouteAllowance: ({ reader, spec, into }) => {
    into.allowances.push(...readRouteAllowance(reader, spec));
  },
  ScopeMap: ({ reader, spec, into }) => {
    into.scopes.push(...readScopeMap(reader, spec));
  },
  ResponseGuard: ({ reader, spec, into }) => {
    into.guards.push(...readResponseGuard(reader, spec));
  },
  PolicyTest: ({ reader, name, spec, into }) => {
    const test = readPolicyTest(reader, name, spec);
    if (test !== null) into.tests.push(test);
  },
};
const KIND_NAMES = Object.keys(KINDS);

const DOCUMENT = {
  what: 'a policy document',
  required: ['apiVersion', 'kind', 'metadata', 'spec'],
  optional: [],
};
const METADATA = { what: 'metadata', required: ['name'], optional: ['owner', 'description'] };

export function emptyDocuments(): PolicyDocuments {
  return { rules: [], settings: [], safeRoutes: [], allowances: [], scopes: [], guards: [], tests: [] };
}

/** Behind what is there already. */
export function appendDocuments(to: PolicyDocuments, from: PolicyDocuments): void {
  to.rules.push(...from.rules);
  to.settings.push(...from.settings);
  to.safeRoutes.push(...from.safeRoutes);
  to.allowances.push(...from.allowances);
  to.scopes.push(...from.scopes);
  to.guards.push(...from.guards);
  to.tests.push(...from.tests);
}

/** `file` is the name that problems carry. */
export function parsePolicyFile(file: string, bytes: Uint8Array): ParsedPolicyFile {
  const documents = emptyDocuments();
  const decoded = decodeFile(bytes);
  if ('refused' in decoded) return { documents, problems: [problemOfFile(file, decoded.refused)] };
  const reader = createFileReader(file, decoded.text);
  for (const root of readDocuments(reader, decoded.text)) readDocument(reader, root, documents);
  return { documents, problems: sortProblems(reader.problems) };
}

/** A file that holds one grant, as `policy explain --grant` takes it. */
export function parseGrantFile(
  file: string,
  bytes: Uint8Array,
): { readonly grant: Grant | null; readonly problems: readonly PolicyProblem[] } {
  const decoded = decodeFile(bytes);
  if ('refused' in decoded) return { grant: null, problems: [problemOfFile(file, decoded.refused)] };
  const reader = createFileReader(file, decoded.text);
  const root = readOneDocument(reader, decoded.text);
  const offset = root?.range[0] ?? 0;
  const grant = root
    ? readApiGrant(reader, { name: 'grant', offset, node: root, valueOffset: offset })
    : null;
  return { grant, problems: sortProblems(reader.problems) };
}

function readDocument(reader: FileReader, root: ParsedNode, into: PolicyDocuments): void {
  const fields = readFields(reader, root, root.range[0], DOCUMENT);
  if (fields === null) return;
  const version = fields.get('apiVersion');
  if (version !== undefined) readChoice(reader, version, ['postern/v1']);
  const metadata = fields.get('metadata');
  const name = metadata && readMetadata(reader, metadata);
  const kind = fields.get('kind');
  const read = kind && readKind(reader, kind);
  const spec = fields.get('spec');
  if (read && spec) read({ reader, name: name ?? '', spec, into });
}

function readKind(reader: FileReader, field: Field): ((opened: Opened) => void) | null {
  const value = isScalar(field.node) ? field.node.value : null;
  if (typeof value === 'string' && Object.hasOwn(KINDS, value)) return KINDS[value] ?? null;
  const hint = typeof value === 'string' ? suggestion(value, KIND_NAMES) : '';
  const known = `must be one of ${KIND_NAMES.join(', ')}`;
  const given = typeof value === 'string' ? `, not ${quoted(value)}` : '';
  report(reader, field.valueOffset, `kind ${known}${given}${hint}`);
  return null;
}

function readMetadata(reader: FileReader, field: Field): string | null {
  const fields = readFields(reader, field.node, field.valueOffset, METADATA);
  const owner = fields?.get('owner');
  if (owner !== undefined) readText(reader, owner, { maxLength: 128 });
  const description = fields?.get('description');
  if (description !== undefined) readText(reader, description, {});
  const name = fields?.get('name');
  return name === undefined ? null : readText(reader, name, RULE_ID);
}
