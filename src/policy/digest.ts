// The digest that names a policy set in records, metrics and answers: equal sets have equal digests, whatever their
// files are called and however they are laid out. Cold.
import { createHash } from 'node:crypto';
import { matchParts } from './match-digest.ts';
import { narrowRouteDigest } from './narrow-routes.ts';
import type { PolicyDocuments } from './policy-file.ts';
import { compare } from './problem.ts';
import { guardDigest } from './response-guard.ts';
import type { SettingsDraft } from './route-settings.ts';
import type { RuleDraft } from './rule-set.ts';
import { scopeDigest } from './scope-map.ts';
import { whenDigest } from './when.ts';

/** `sha256:` and 64 hex digits. Changes when the version of the language does. */
export function digestOf(documents: PolicyDocuments, defaultEffect: 'allow' | 'deny'): string {
  // Arrays only, every field named by its place, sets sorted: equal sets have equal texts.
  const text = JSON.stringify([
    'postern/v1',
    defaultEffect,
    documents.rules.map(({ draft }) => ruleParts(draft)),
    documents.settings.map(settingParts),
    documents.safeRoutes.map(narrowRouteDigest),
    documents.allowances.map(({ draft }) => [draft.id, narrowRouteDigest(draft.route)]),
    documents.scopes.map(scopeDigest),
    documents.guards.map(({ draft }) => guardDigest(draft)),
  ]);
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** What makes two rules the same rule, as JSON-able arrays. */
export function ruleParts(rule: RuleDraft): unknown {
  return [
    rule.id,
    rule.category,
    rule.mode,
    rule.liftable,
    rule.hosts?.names ?? null,
    whenDigest(rule.when),
    rule.message,
    rule.match.map(matchParts),
  ];
}

function settingParts(draft: SettingsDraft): unknown {
  return [
    draft.paths.map((path) => path.text).toSorted(compare),
    draft.allow.toSorted(compare),
    draft.headers.toSorted(compare),
    draft.maxBodyBytes,
    draft.maxInspectedBytes,
    draft.headersTimeoutMs,
    draft.idleTimeoutMs,
  ];
}
