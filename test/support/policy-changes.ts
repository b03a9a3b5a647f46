// What tests of reloading ask a running gate: which policy is in force, and when another one is.
import { join } from 'node:path';
import { expect } from 'vitest';
import { loadPolicyDirectory } from '#policy/load-directory.ts';
import type { Gate } from './gate.ts';

/** A set with one rule per path, whose id says the path: `deny./a`. */
export function denying(...paths: readonly string[]): string {
  const rules = paths.map((path) => ({ id: idOf(path), category: 'test', match: [{ paths: [path] }] }));
  return document('RoutePolicy', { rules });
}

export function idOf(path: string): string {
  return `deny.${path.replaceAll(/[^a-z0-9]+/g, '')}`;
}

/** One document; JSON is YAML. */
export function document(kind: string, spec: unknown): string {
  return `${JSON.stringify({ apiVersion: 'postern/v1', kind, metadata: { name: 'test' }, spec })}\n`;
}

export function policiesOf(gate: Gate): string {
  return join(gate.folder, 'policies');
}

export async function metric(gate: Gate, name: string): Promise<string | undefined> {
  const line = (await gate.metrics()).split('\n').find((one) => one.startsWith(`${name} `));
  return line?.split(' ')[1];
}

/** As `/metrics` tells it. */
export async function digestInForce(gate: Gate): Promise<string | null> {
  return /^postern_policy_info\{digest="([^"]+)"\} 1$/m.exec(await gate.metrics())?.[1] ?? null;
}

/** Of what the directory holds now. */
export async function digestOf(directory: string, packs: readonly string[] = []): Promise<string> {
  const options = { directory, packs, dangerouslyAllowEmpty: true, defaultEffect: 'allow' } as const;
  const { policy, problems } = await loadPolicyDirectory(options);
  if (policy === null) throw new Error(JSON.stringify(problems));
  return policy.digest;
}

/** Resolves once the gate has taken over what the directory holds, by its own watching. */
export async function untilInForce(gate: Gate, packs: readonly string[] = []): Promise<string> {
  const digest = await digestOf(policiesOf(gate), packs);
  await expect.poll(() => digestInForce(gate), { timeout: 15_000, interval: 25 }).toBe(digest);
  return digest;
}

/** Lines of the journal about reloads that failed. */
export function failuresOf(gate: Gate): readonly Record<string, unknown>[] {
  return gate.journal().filter((line) => line['event'] === 'policy.reload_failed');
}
