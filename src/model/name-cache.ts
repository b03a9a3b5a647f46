// What a header name is, remembered for each spelling: names come as new strings with every message, and a comparison
// costs less than lower-casing one or hashing it for a map. Guarantees: `of` answers what `classify` does, always;
// a fixed number of places, so that a flood of invented names costs time and no memory. Hot (npm run bench).

const PLACES = 256;

export class NameCache<T> {
  readonly #classify: (name: string) => T;
  readonly #names: (string | null)[] = Array.from<string | null>({ length: PLACES }).fill(null);
  readonly #classes: T[] = [];

  /** `classify` is pure; it gets the name as spelled. */
  constructor(classify: (name: string) => T) {
    this.#classify = classify;
  }

  of(name: string): T {
    const place = placeOf(name);
    if (this.#names[place] === name) return this.#classes[place] as T;
    const found = this.#classify(name);
    this.#names[place] = name;
    this.#classes[place] = found;
    return found;
  }
}

/** Names differ in their length and their ends; the few that share a place only take turns. */
function placeOf(name: string): number {
  const { length } = name;
  if (length === 0) return 0;
  const first = name.charCodeAt(0);
  const middle = name.charCodeAt(length >> 1);
  const last = name.charCodeAt(length - 1);
  return (length * 17 + first * 5 + middle * 3 + last) & (PLACES - 1);
}
