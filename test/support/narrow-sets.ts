// Documents of the kinds that allow, exempt or map, for tests: YAML from flow-style items, and how a policy answers.
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import { NEEDS_BODY, PASS, type Verdict } from '#model/verdict.ts';
import type { CompiledPolicy, RouteFacts } from '#policy/compiled-policy.ts';
import { PLAIN_GRANT } from '#policy/policy-test.ts';
import { facts, type FactsOptions, policyFrom } from './policy-sets.ts';

type NarrowKind = 'SafeRoutes' | 'RouteAllowance' | 'ScopeMap';

/** `items` in flow style; `hosts` as a flow list. */
export function narrowText(kind: NarrowKind, items: readonly string[], hosts?: string): string {
  const list = kind === 'ScopeMap' ? 'scopes' : 'routes';
  const head = `apiVersion: postern/v1\nkind: ${kind}\nmetadata: { name: test }\nspec:\n`;
  const named = hosts === undefined ? '' : `  hosts: ${hosts}\n`;
  return `${head}${named}  ${list}:\n${items.map((item) => `    - ${item}\n`).join('')}`;
}

export function safeRoutes(...items: readonly string[]): CompiledPolicy {
  return policyFrom(narrowText('SafeRoutes', items));
}

export function allowList(...items: readonly string[]): CompiledPolicy {
  return policyFrom(narrowText('RouteAllowance', items), 'deny');
}

export function scopeMap(...items: readonly string[]): CompiledPolicy {
  return policyFrom(narrowText('ScopeMap', items));
}

export const READ_GRANT: Grant = Object.freeze({ ...PLAIN_GRANT, access: 'read' });

/** Limited to the workspaces given; none of them is every workspace. */
export function grantFor(...ids: readonly string[]): Grant {
  return { ...PLAIN_GRANT, workspaces: ids.map((id) => ({ id, roles: [] })) };
}

/** `allow`, `needs_body` or the reason code. */
export function accessOf(policy: CompiledPolicy, path: string, options: FactsOptions = {}): string {
  return said(policy.access(facts(path, { grant: READ_GRANT, ...options })));
}

/** `allow <workspace>`, `allow`, or the reason code. The tenant is `acme`. */
export function scopeOf(policy: CompiledPolicy, path: string, options: FactsOptions = {}): string {
  const into = { workspace: 'left over' as string | null };
  const verdict = policy.scope(facts(path, options), into);
  return into.workspace === null ? said(verdict) : `${said(verdict)} ${into.workspace}`;
}

export function withTenant(asked: RouteFacts, tenant: string | null): RouteFacts {
  return { ...asked, tenant: tenant as TenantId | null };
}

function said(verdict: Verdict): string {
  if (verdict === PASS) return 'allow';
  return verdict === NEEDS_BODY ? 'needs_body' : verdict.reason;
}
