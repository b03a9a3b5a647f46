// What a page says about where the next one begins: opaque to callers, and of no use to anybody else. A place in the
// journal never moves, so records written meanwhile change no page that follows. Pure.

/** `kind` keeps cursors of one question from another. Throws a RangeError for a text that is no such cursor. */
export function decodeCursor<Fields extends readonly (number | string)[]>(
  kind: string,
  text: string,
  isFields: (value: readonly unknown[]) => value is Fields,
): Fields {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (Array.isArray(value) && value[0] === kind && isFields(value.slice(1)))
      return value.slice(1) as unknown as Fields;
  } catch {
    // As below.
  }
  throw new RangeError('the cursor is none');
}

export function encodeCursor(kind: string, fields: readonly (number | string)[]): string {
  return Buffer.from(JSON.stringify([kind, ...fields]), 'utf8').toString('base64url');
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
