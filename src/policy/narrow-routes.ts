// Routes that allow or exempt (`kind: SafeRoutes`, `kind: RouteAllowance`), as parsed and checked. They match the
// narrowest reading (P6): the exact bytes of the canonical path, methods as listed, GET covering HEAD and nothing
// else. Reading them is cold; matching is narrow-match.ts.
import type { BodySelectorDraft } from './body-selector.ts';
import { type HostSet, readHosts } from './hosts.ts';
import { readGraphqlWanted } from './narrow-graphql.ts';
import type { PathPattern } from './pattern.ts';
import { compare } from './problem.ts';
import { readMethod, readPaths } from './route-policy.ts';
import { type FileReader, report } from './yaml-document.ts';
import { type Field, readChoice, readFields, readItems, readList, type Shape } from './yaml-fields.ts';

export type GraphqlDraft = Extract<BodySelectorDraft, { readonly kind: 'graphql' }>;

export interface NarrowRouteDraft {
  /** Null: every host. */
  readonly hosts: HostSet | null;
  /** Upper case, as written; null: every method. An upgrade is a GET and lists none. */
  readonly methods: readonly string[] | null;
  /** Compiled narrow. */
  readonly paths: readonly PathPattern[];
  /** Null: the body is not looked at. Operations are exact names. */
  readonly graphql: GraphqlDraft | null;
  /** Only WebSocket handshakes; false: only requests that are none. */
  readonly upgrade: boolean;
}

/** A route as it stands in the list, for keys that one kind has and another has not. */
interface ReadRoute {
  readonly draft: NarrowRouteDraft;
  readonly fields: ReadonlyMap<string, Field>;
  readonly item: Field;
}

interface RouteListShape {
  /** `the spec of SafeRoutes`. */
  readonly what: string;
  readonly route: Shape;
  /** Whether `methods` may be left out, which is every method. */
  readonly methodsOptional: boolean;
}

/** What every route may hold, whatever its kind. */
export const ROUTE_KEYS: readonly string[] = ['methods', 'graphql', 'upgrade'];

/** The routes that could be read, in document order. */
export function readNarrowRoutes(
  reader: FileReader,
  spec: Field,
  shape: RouteListShape,
): readonly ReadRoute[] {
  const fields = readFields(reader, spec.node, spec.valueOffset, {
    what: shape.what,
    required: ['routes'],
    optional: ['hosts'],
  });
  const hosts = readHosts(reader, fields?.get('hosts'));
  const list = fields?.get('routes');
  const routes: ReadRoute[] = [];
  for (const item of (list && readItems(reader, list)) ?? []) {
    const route = readRoute(reader, item, hosts, shape);
    if (route !== null) routes.push(route);
  }
  return routes;
}

function readRoute(
  reader: FileReader,
  item: Field,
  hosts: HostSet | null,
  shape: RouteListShape,
): ReadRoute | null {
  const before = reader.problems.length;
  const fields = readFields(reader, item.node, item.offset, shape.route);
  if (fields === null) return null;
  const pathsField = fields.get('paths');
  const paths = pathsField && readPaths(reader, pathsField, 'narrow');
  const upgradeField = fields.get('upgrade');
  const upgrade = upgradeField !== undefined;
  if (upgrade) readChoice(reader, upgradeField, ['websocket']);
  const methodsField = fields.get('methods');
  const methods = methodsField && readList(reader, methodsField, (one) => readMethod(reader, one));
  const graphqlField = fields.get('graphql');
  const graphql = graphqlField === undefined ? null : readGraphqlWanted(reader, graphqlField);
  if (upgrade) {
    refuse(reader, methodsField, 'an upgrade is always a GET: leave methods out');
    refuse(reader, graphqlField, 'nobody sees what travels after an upgrade: leave graphql out');
  } else if (methodsField === undefined && !shape.methodsOptional) {
    report(reader, item.offset, `${shape.route.what} needs methods, or upgrade: websocket`);
  }
  // What could not be read must not become a wider route than was meant.
  if (reader.problems.length > before || !paths) return null;
  return { draft: { hosts, methods: methods ?? null, paths, graphql, upgrade }, fields, item };
}

function refuse(reader: FileReader, field: Field | undefined, message: string): void {
  if (field !== undefined) report(reader, field.offset, message);
}

/** For the digest: arrays only, sets sorted. */
export function narrowRouteDigest(draft: NarrowRouteDraft): unknown {
  return [
    draft.hosts?.names ?? null,
    draft.methods === null ? null : draft.methods.toSorted(compare),
    draft.paths.map((path) => path.text).toSorted(compare),
    draft.graphql === null ? null : [draft.graphql.types, draft.graphql.operations],
    draft.upgrade,
  ];
}
