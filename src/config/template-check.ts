// Templates of injected headers, checked at start so that a problem has its place in the file. Pure and cold.
// The upstream room compiles them; test/unit/config/template-check.test.ts holds that both accept the same ones.

/** The facts that a template may name. */
export const TEMPLATE_FIELDS: readonly string[] = [
  'tenant',
  'requestId',
  'principal.id',
  'principal.email',
  'principal.name',
  'principal.issuer',
  'principal.org',
  'grant.id',
  'grant.revision',
  'grant.access',
  'grant.role',
  'grant.roles',
  'grant.workspaces',
  'grant.actAs',
  'grant.caseRef',
  'session.id',
  'workspace',
  'workspace.role',
];

/** Whether a secret of that name is one value or a map of them; null when there is none. */
export type SecretKindOf = (name: string) => 'one' | 'map' | null;

const PLACEHOLDER = /\{([^{}]*(?:\{[^{}]*\}[^{}]*)?)\}/g;
const NAMEABLE = /^[A-Za-z][A-Za-z0-9._-]{0,63}(?::[A-Za-z0-9._-]{1,64}(?:\[\{[A-Za-z.]{1,64}\}\])?)?$/;
const SECRET = /^secret:([^[\]{}]+)(?:\[\{([^[\]{}]+)\}\])?$/;

/** Every problem of one template, in its order; each names a placeholder, never a literal part. */
export function templateProblems(template: string, kindOf: SecretKindOf): readonly string[] {
  const problems: string[] = [];
  const literals = template.replace(PLACEHOLDER, (_whole, inner: string) => {
    const problem = placeholderProblem(inner, kindOf);
    if (problem !== null) problems.push(problem);
    return '';
  });
  if (/[{}]/.test(literals)) problems.push('a { and a } must stand in pairs');
  if (/[^\x20-\x7e]/.test(literals)) problems.push('only visible ASCII and spaces may stand in a header');
  return problems;
}

function placeholderProblem(inner: string, kindOf: SecretKindOf): string | null {
  if (TEMPLATE_FIELDS.includes(inner)) return null;
  // Anything else in braces may be a literal that was not meant as a template, perhaps a secret one.
  if (!NAMEABLE.test(inner)) return 'a placeholder in braces is unknown';
  if (!inner.startsWith('secret:')) return `{${inner}} is unknown; known are ${TEMPLATE_FIELDS.join(', ')}`;
  const [, name, field] = SECRET.exec(inner) ?? [];
  if (name === undefined) return `{${inner}} must be {secret:name} or {secret:name[{tenant}]}`;
  const kind = kindOf(name);
  if (kind === null) return `{${inner}} names no secret under secrets`;
  if (kind === 'one') return field === undefined ? null : `{${inner}} indexes a secret that is one value`;
  if (field === undefined) return `{${inner}} must index its map: {secret:${name}[{tenant}]}`;
  return TEMPLATE_FIELDS.includes(field) ? null : `{${inner}} indexes by something unknown`;
}
