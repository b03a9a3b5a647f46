// Mutations of one header line that decides where a body ends: what one parser takes for the header another does not.
// Families: bytes at each place, separators, casing, folding, duplicates, lists, quoting, other names. Pure.

/** Whole header lines, without the last CRLF. */
export interface MutatedLine {
  readonly about: string;
  readonly lines: string;
  /** The one spelling that counts, in another guise: it must be taken as what it says. */
  readonly valid: boolean;
}

/** A header with a value that is right, one of another meaning, and what a parser of lists might find it in. */
export interface FramingHeader {
  readonly name: string;
  readonly value: string;
  readonly other: string;
  readonly values: readonly string[];
  /** Other headers that say the same to somebody. */
  readonly aliases: readonly string[];
}

const BYTES = [
  '\0\x01\x02\x07\x08\t\n\x0b\x0c\r\x0e\x1a\x1b\x1c\x1f !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~\x7f\x80\x85\x8a\xa0\xad\xc2\xe2\xff',
]
  .join('')
  .split('');

const FOLDS = [
  '\r\n ',
  '\r\n\t',
  '\n ',
  '\n\t',
  '\r ',
  '\r\t',
  '\r\n \t ',
  '\r\n\r\n',
  '\r\n',
  '\n',
  '\r',
  '\n\r',
  '\r\r\n ',
  '\0\r\n ',
];

export function* mutatedLines(header: FramingHeader): Generator<MutatedLine> {
  yield* inserted(header);
  yield* respelled(header);
  yield* duplicated(header);
  yield* listed(header);
  yield* renamed(header);
}

/** One byte, and one fold, at each place of the line that a parser passes. */
function* inserted({ name, value }: FramingHeader): Generator<MutatedLine> {
  const middle = name.indexOf('-');
  const half = Math.floor(value.length / 2);
  const places: readonly (readonly [about: string, put: (text: string) => string])[] = [
    ['before the name', (text) => `${text}${name}: ${value}`],
    [
      'within the name',
      (text) => `${name.slice(0, middle)}${text}${name.slice(middle)}`.concat(`: ${value}`),
    ],
    ['instead of the hyphen', (text) => `${name.slice(0, middle)}${text}${name.slice(middle + 1)}: ${value}`],
    ['behind the name', (text) => `${name}${text}: ${value}`],
    ['instead of the colon', (text) => `${name}${text}${value}`],
    ['behind the colon', (text) => `${name}:${text}${value}`],
    ['before the value', (text) => `${name}: ${text}${value}`],
    ['within the value', (text) => `${name}: ${value.slice(0, half)}${text}${value.slice(half)}`],
    ['behind the value', (text) => `${name}: ${value}${text}`],
    ['at the end of the line before', (text) => `X-A: 1${text}${name}: ${value}`],
  ];
  for (const [about, put] of places) {
    for (const byte of BYTES) {
      const lines = put(byte);
      yield mutation(`a byte ${about}`, lines, isPadded(lines, name, value));
    }
    for (const fold of FOLDS) yield mutation(`a fold ${about}`, put(fold), false);
  }
}

/** Nothing but white space around the value, which says nothing; a tab behind it some parsers refuse, as they may. */
function isPadded(lines: string, name: string, value: string): boolean {
  return (
    lines.startsWith(`${name}:`) &&
    !lines.endsWith('\t') &&
    /^[ \t]*(.*?)[ \t]*$/s.exec(lines.slice(name.length + 1))?.[1] === value
  );
}

function* respelled({ name, value }: FramingHeader): Generator<MutatedLine> {
  for (const spelt of [
    name.toLowerCase(),
    name.toUpperCase(),
    name.replace(/^./, (char) => char.toLowerCase()),
  ])
    yield mutation('another case', `${spelt}: ${value}`, true);
  for (const spelt of [value.toUpperCase(), value.replace(/^./, (char) => char.toUpperCase())])
    yield mutation('another case of the value', `${name}: ${spelt}`, true);
  for (const space of ['', '  ', '\t', ' \t ', '\t\t\t', ' '.repeat(100)])
    for (const end of ['', ' ', '\t', ' \t ', ' '.repeat(100)])
      yield mutation('white space', `${name}:${space}${value}${end}`, !end.includes('\t'));
}

function* duplicated({ name, value, other, values }: FramingHeader): Generator<MutatedLine> {
  const right = `${name}: ${value}`;
  const seconds = [value, other, '', ...values].map((text) => `${name}: ${text}`);
  seconds.push(
    `${name.toLowerCase()}: ${value}`,
    `${name}:`,
    `${name} : ${value}`,
    ` ${right}`,
    `${name.replace('-', '_')}: ${other}`,
  );
  for (const second of seconds) {
    const alias = second.startsWith(name.replace('-', '_'));
    yield mutation('a second line', `${right}\r\n${second}`, alias);
    yield mutation('a line before it', `${second}\r\n${right}`, alias);
    yield mutation('a second line behind others', `${right}\r\nX-A: 1\r\nX-B: 2\r\n${second}`, alias);
  }
}

function* listed({ name, value, other, values }: FramingHeader): Generator<MutatedLine> {
  for (const text of values) yield mutation('another value', `${name}: ${text}`, false);
  for (const separator of [',', ', ', ' ,', ';', '; ', ' ', '  ', '\t', '|', '/', '\0', '\r\n ', ',,', ', ,'])
    for (const [first, second] of [
      [value, value],
      [value, other],
      [other, value],
      ['', value],
      [value, ''],
    ] as const) {
      const text = `${first}${separator}${second}`;
      const lines = `${name}: ${text}`;
      if (text.trim() !== value) yield mutation('a list', lines, false);
    }
  for (const [open, close] of ['""', "''", '``', '()', '[]', '{}', '<>', '«»'].map(
    (pair) => [pair[0], pair[1]] as const,
  ))
    yield mutation('quotes', `${name}: ${open}${value}${close}`, false);
  for (const tail of [';q=1', ';x', '; x=1', '=1', ':1', '#', '%00', '\\', '\\r\\n', '%20', '+', '-1'])
    yield mutation('a tail', `${name}: ${value}${tail}`, false);
}

function* renamed({ name, value, aliases }: FramingHeader): Generator<MutatedLine> {
  for (const alias of aliases) yield mutation('another name', `${alias}: ${value}`, false);
  for (const joint of ['_', '.', '--', '', ' ', '~', '\xad', '\xe2\x80\x90', '\xe2\x88\x92', '%2d', '+'])
    yield mutation('another joint', `${name.replace('-', joint)}: ${value}`, false);
  for (const around of ['-', '_', '.', 'x-', 'X', '\x7f', '%', '*']) {
    yield mutation('more before the name', `${around}${name}: ${value}`, false);
    yield mutation('more behind the name', `${name}${around}: ${value}`, false);
  }
  for (const lines of [
    `: ${value}`,
    `${name}`,
    `${name}: `,
    `${name}:${value}\r\n:`,
    `\r\n${name}: ${value}`,
    `X-A: 1\r\n\r\n${name}: ${value}`,
  ])
    yield mutation('no header', lines, false);
}

function mutation(about: string, lines: string, valid: boolean): MutatedLine {
  return { about, lines, valid };
}
