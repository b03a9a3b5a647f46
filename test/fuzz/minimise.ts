// The shortest input that still breaks the same law: pieces are left out, the large ones first, then bytes are made
// plain. Bounded in executions.

const MAX_EXECUTIONS = 1500;

/** `breaks` is asked of candidates; the answer is one of which it said yes, or the input itself. */
export async function minimised(
  input: string,
  breaks: (candidate: string) => Promise<boolean>,
): Promise<string> {
  const budget = { left: MAX_EXECUTIONS };
  const holds = async (candidate: string) => {
    budget.left -= 1;
    return budget.left >= 0 && (await breaks(candidate));
  };
  let best = input;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length && budget.left > 0; ) {
      const shorter = best.slice(0, at) + best.slice(at + size);
      if (await holds(shorter)) best = shorter;
      else at += size;
    }
  }
  for (let at = 0; at < best.length && budget.left > 0; at++) {
    if (/[a\s]/.test(best[at] ?? '')) continue;
    const plainer = `${best.slice(0, at)}a${best.slice(at + 1)}`;
    if (await holds(plainer)) best = plainer;
  }
  return best;
}
