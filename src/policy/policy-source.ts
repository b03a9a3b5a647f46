// The contract for whoever uses the policy in force: one atomic reference, replaced between requests.
// Guarantees: a set is either wholly in force or not at all. Hot: a property read.
import type { CompiledPolicy } from './compiled-policy.ts';

export interface PolicySource {
  /** Null until a set was loaded (`policy_unavailable`). Read once per request and kept for its whole life. */
  readonly current: CompiledPolicy | null;
  /** Called after a new set is in force, so that open streams can be judged again. */
  onSwap(listener: (next: CompiledPolicy) => void): Disposable;
}
