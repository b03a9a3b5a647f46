// Why the gate refused work that it would else have judged: a closed list, as records, metrics and the log name it.
// Each is a bound of `limits` in the configuration; docs/limits.md says what happens past it.

export const SHED_CAUSES = ['connections', 'in_flight', 'held_bodies', 'event_loop'] as const;
export type ShedCause = (typeof SHED_CAUSES)[number];
