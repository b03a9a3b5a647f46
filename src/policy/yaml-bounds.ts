// How large the parts of a YAML file may be. A parser's cost grows with the number of lines, keys and values, not
// with the bytes: `- ` 300,000 times costs seconds and half a gigabyte. Each bound lies far above what people write,
// and is looked at before the parser is. Cold.

export interface YamlBounds {
  readonly lines: number;
  /** Lines in a row that are blank or hold a comment only. */
  readonly idleLines: number;
  readonly documents: number;
  /** Lines of one mapping that hold keys. */
  readonly keys: number;
  /** Of one list. */
  readonly items: number;
  /** Of one mapping or list in brackets. */
  readonly flowItems: number;
  /** Indentations within each other. */
  readonly levels: number;
  /** UTF-16 units of one value. */
  readonly valueLength: number;
  /** Values on one line outside brackets. */
  readonly valuesPerLine: number;
  /** A longer text in which an alias or a tag stands is not parsed to look for more. */
  readonly parsedWithFlaws: number;
}

/** A rule with a message takes some 200 bytes: a whole file of them keeps within these. */
export const POLICY_BOUNDS: YamlBounds = {
  lines: 20_000,
  idleLines: 2000,
  documents: 200,
  keys: 2000,
  items: 2000,
  flowItems: 2000,
  levels: 32,
  valueLength: 16 * 1024,
  valuesPerLine: 64,
  parsedWithFlaws: 64 * 1024,
};

/** What other programs write, such as an OpenAPI document: as large as its file may be. */
export const WIDE_BOUNDS: YamlBounds = {
  lines: Infinity,
  idleLines: Infinity,
  documents: 500,
  keys: Infinity,
  items: Infinity,
  flowItems: Infinity,
  levels: 128,
  valueLength: Infinity,
  valuesPerLine: Infinity,
  parsedWithFlaws: Infinity,
};
