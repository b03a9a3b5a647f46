// What a customer's grants may ask for. Without a profile the defaults below hold; compose.ts hands in others.
// Cold: read when a grant is made or changed.

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

export interface GrantLimits {
  /** What the control API takes when neither an end nor a duration is given. */
  readonly defaultDurationMs: number;
  /** From start to end, however often a grant is extended. */
  readonly maxDurationMs: number;
  readonly minDurationMs: number;
  readonly indefiniteAllowed: boolean;
  /** How far ahead of now a start may lie. */
  readonly maxStartDelayMs: number;
  /** Whether whoever creates a grant must say why, and for which case. */
  readonly reasonRequired: boolean;
  readonly caseRefRequired: boolean;
  /** Rule categories that a grant may lift. Empty until a tenant's settings name some. */
  readonly liftable: readonly string[];
}

export const DEFAULT_GRANT_LIMITS: GrantLimits = Object.freeze({
  defaultDurationMs: 7 * DAY_MS,
  maxDurationMs: 14 * DAY_MS,
  minDurationMs: SECOND_MS,
  indefiniteAllowed: false,
  maxStartDelayMs: 365 * DAY_MS,
  reasonRequired: true,
  caseRefRequired: true,
  liftable: Object.freeze([]),
});

/** Whatever settings say: lifting one of these would let support grant itself more. */
export const NEVER_LIFTABLE: readonly string[] = Object.freeze([
  'self-grant',
  'user-admin',
  'permissions',
  'credentials',
]);

/** Throws a RangeError for limits that contradict themselves; called once, where a store is made. */
export function assertGrantLimits(limits: GrantLimits): void {
  const { defaultDurationMs, maxDurationMs, minDurationMs, maxStartDelayMs } = limits;
  for (const [name, ms] of Object.entries({ defaultDurationMs, maxDurationMs, minDurationMs })) {
    if (!Number.isSafeInteger(ms) || ms <= 0) throw new RangeError(`${name} must be a positive whole number`);
  }
  if (!Number.isSafeInteger(maxStartDelayMs) || maxStartDelayMs < 0) {
    throw new RangeError('maxStartDelayMs must be a whole number of at least 0');
  }
  if (minDurationMs > defaultDurationMs || defaultDurationMs > maxDurationMs) {
    throw new RangeError(
      'minDurationMs, defaultDurationMs and maxDurationMs must not decrease in this order',
    );
  }
}

/** `14d`, `8h`, `90s`: the largest unit that states it exactly, for sentences that say what is allowed. */
export function describeDuration(ms: number): string {
  for (const [unit, unitMs] of UNITS) {
    if (ms >= unitMs && ms % unitMs === 0) return `${ms / unitMs} ${unit}${ms === unitMs ? '' : 's'}`;
  }
  return `${ms} ms`;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['day', DAY_MS],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', SECOND_MS],
];
