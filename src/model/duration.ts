// Durations as people write them in configuration and API calls: one whole number and one unit.
// Pure and cold. Calendar units (`1mo 5y`) have no fixed length and are not read here.

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const DURATION = /^(0|[1-9][0-9]{0,8})([smhdw])$/;

/**
 * Milliseconds of `30s 15m 8h 14d 4w`; null for anything else: a bare number, a fraction, a sign, white space,
 * an unknown unit, or more than JavaScript counts exactly. Zero is read; whether it is allowed is the caller's matter.
 */
export function parseDuration(text: string): number | null {
  const match = DURATION.exec(text);
  if (match === null) return null;
  const ms = Number(match[1]) * (UNIT_MS[match[2] as string] as number);
  return Number.isSafeInteger(ms) ? ms : null;
}

/** `30m`, `8h`, `400d`: the text that `parseDuration` reads as `ms`, in the largest unit up to days; whole seconds. */
export function durationText(ms: number): string {
  for (const unit of ['d', 'h', 'm'] as const) {
    const unitMs = UNIT_MS[unit] as number;
    if (ms >= unitMs && ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  }
  return `${Math.ceil(ms / 1000)}s`;
}

/** What a refusal shows as an example of the accepted form. */
export const DURATION_EXAMPLES = '30s, 15m, 8h, 14d, 4w';
