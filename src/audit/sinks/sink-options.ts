// What the configuration says of a sink, and how a sink is called everywhere else.
// Another kind of sink is a further member of the union and one more file beside `file-sink.ts`.

export type SinkOptions = { readonly kind: 'stdout' } | { readonly kind: 'file'; readonly path: string };

/** The label of each sink in metrics and the name of its cursor: its kind, numbered from the second on. */
export function namesOf(sinks: readonly SinkOptions[]): readonly string[] {
  const seen = new Map<string, number>();
  return sinks.map(({ kind }) => {
    const count = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, count);
    return count === 1 ? kind : `${kind}-${count}`;
  });
}
