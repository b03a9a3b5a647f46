// Sizes as people write them in configuration: one whole number and one binary unit. Pure and cold.
// Decimal units are not read: `1MB` would be taken for `1MiB` by half of its readers.

const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

const SIZE = /^(0|[1-9][0-9]{0,11})(B|KiB|MiB|GiB|TiB)$/;

/**
 * Bytes of `512B 64KiB 10MiB 1GiB 2TiB`; null for anything else: a bare number, a fraction, a sign, white space, an
 * unknown unit, or more than JavaScript counts exactly. Zero is read; whether it is allowed is the caller's matter.
 */
export function parseSize(text: string): number | null {
  const match = SIZE.exec(text);
  if (match === null) return null;
  const bytes = Number(match[1]) * (UNIT_BYTES[match[2] as string] as number);
  return Number.isSafeInteger(bytes) ? bytes : null;
}
