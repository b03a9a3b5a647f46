// Plants a leak: takes one rule away from what the gate is told, while the oracle still knows it. Shows that a gate that
// forgets a rule is caught. Pure.

/** The policy without the rule of that id. Throws when there is none. */
export function withoutRule(policy: string, rule: string): string {
  const lines = policy.split('\n');
  const kept = lines.filter((line) => !line.includes(`{ id: ${rule},`));
  if (kept.length !== lines.length - 1) throw new TypeError(`--plant takes the id of a rule, not ${rule}`);
  return kept.join('\n');
}
