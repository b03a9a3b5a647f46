// The options of curl as `policy explain` knows them: which take a value, which shape the request, which do not
// matter to it. An option that is not here is refused, never guessed at. Source: curl's manual page. Not hot.

export type CurlAction =
  | 'method'
  | 'url'
  | 'header'
  | 'data'
  | 'dataRaw'
  | 'dataUrlencode'
  | 'json'
  | 'form'
  | 'formString'
  | 'user'
  | 'bearer'
  | 'userAgent'
  | 'referer'
  | 'cookie'
  | 'range'
  | 'head'
  | 'get'
  | 'compressed'
  | 'pathAsIs';

export type CurlEffect = CurlAction | 'ignored' | 'file' | 'several';

export interface CurlFlag {
  readonly name: string;
  readonly takesValue: boolean;
  /** `file`: reads one, refused. `several`: makes more than one request, refused. `ignored`: not about the request. */
  readonly effect: CurlEffect;
}

/** Long name, short letter or empty, effect. */
const VALUED: readonly (readonly [string, string, CurlEffect])[] = [
  ['request', 'X', 'method'],
  ['url', '', 'url'],
  ['header', 'H', 'header'],
  ['data', 'd', 'data'],
  ['data-ascii', '', 'data'],
  ['data-binary', '', 'data'],
  ['data-raw', '', 'dataRaw'],
  ['data-urlencode', '', 'dataUrlencode'],
  ['json', '', 'json'],
  ['form', 'F', 'form'],
  ['form-string', '', 'formString'],
  ['user', 'u', 'user'],
  ['oauth2-bearer', '', 'bearer'],
  ['user-agent', 'A', 'userAgent'],
  ['referer', 'e', 'referer'],
  ['cookie', 'b', 'cookie'],
  ['range', 'r', 'range'],
  ['upload-file', 'T', 'file'],
  ['config', 'K', 'file'],
  ...(
    [
      ['cookie-jar', 'c'],
      ['output', 'o'],
      ['output-dir', ''],
      ['dump-header', 'D'],
      ['write-out', 'w'],
      ['max-time', 'm'],
      ['connect-timeout', ''],
      ['expect100-timeout', ''],
      ['keepalive-time', ''],
      ['limit-rate', ''],
      ['max-redirs', ''],
      ['max-filesize', ''],
      ['retry', ''],
      ['retry-delay', ''],
      ['retry-max-time', ''],
      ['proxy', 'x'],
      ['proxy-user', 'U'],
      ['proxy-header', ''],
      ['noproxy', ''],
      ['resolve', ''],
      ['connect-to', ''],
      ['interface', ''],
      ['unix-socket', ''],
      ['cacert', ''],
      ['capath', ''],
      ['cert', 'E'],
      ['cert-type', ''],
      ['key', ''],
      ['key-type', ''],
      ['pass', ''],
      ['ciphers', ''],
      ['tls13-ciphers', ''],
      ['tls-max', ''],
      ['pinnedpubkey', ''],
      ['speed-limit', 'Y'],
      ['speed-time', 'y'],
      ['stderr', ''],
      ['trace', ''],
      ['trace-ascii', ''],
    ] as const
  ).map(([name, short]) => [name, short, 'ignored'] as const),
];

const PLAIN: readonly (readonly [string, string, CurlEffect])[] = [
  ['head', 'I', 'head'],
  ['get', 'G', 'get'],
  ['compressed', '', 'compressed'],
  ['path-as-is', '', 'pathAsIs'],
  ['next', ':', 'several'],
  ...(
    [
      ['silent', 's'],
      ['show-error', 'S'],
      ['location', 'L'],
      ['location-trusted', ''],
      ['insecure', 'k'],
      ['verbose', 'v'],
      ['include', 'i'],
      ['show-headers', ''],
      ['fail', 'f'],
      ['fail-with-body', ''],
      ['remote-name', 'O'],
      ['remote-header-name', 'J'],
      ['remote-time', 'R'],
      ['no-buffer', 'N'],
      ['progress-bar', '#'],
      ['no-progress-meter', ''],
      ['globoff', 'g'],
      ['ipv4', '4'],
      ['ipv6', '6'],
      ['http1.0', '0'],
      ['http1.1', ''],
      ['http2', ''],
      ['http2-prior-knowledge', ''],
      ['http3', ''],
      ['tlsv1', '1'],
      ['tlsv1.2', ''],
      ['tlsv1.3', ''],
      ['netrc', 'n'],
      ['disable', 'q'],
      ['create-dirs', ''],
      ['parallel', 'Z'],
      ['retry-all-errors', ''],
      ['retry-connrefused', ''],
      ['tcp-nodelay', ''],
      ['keepalive', ''],
      ['ssl-reqd', ''],
      ['ssl-no-revoke', ''],
      ['post301', ''],
      ['post302', ''],
      ['post303', ''],
      ['basic', ''],
      ['anyauth', ''],
      ['digest', ''],
      ['disallow-username-in-url', ''],
    ] as const
  ).map(([name, short]) => [name, short, 'ignored'] as const),
];

const BY_LONG = new Map<string, CurlFlag>();
const BY_SHORT = new Map<string, CurlFlag>();
for (const [list, takesValue] of [
  [VALUED, true],
  [PLAIN, false],
] as const) {
  for (const [name, short, effect] of list) {
    const flag: CurlFlag = { name: `--${name}`, takesValue, effect };
    BY_LONG.set(name, flag);
    if (short !== '') BY_SHORT.set(short, flag);
  }
}

/** Without its dashes; `no-` before a switch turns it off, which is ignored where the switch itself is. */
export function longFlag(name: string): CurlFlag | null {
  const exact = BY_LONG.get(name);
  if (exact !== undefined) return exact;
  const positive = name.startsWith('no-') ? BY_LONG.get(name.slice(3)) : undefined;
  return positive?.effect === 'ignored' && !positive.takesValue ? positive : null;
}

export function shortFlag(letter: string): CurlFlag | null {
  return BY_SHORT.get(letter) ?? null;
}

/** For suggestions after a typing error. */
export const LONG_FLAG_NAMES: readonly string[] = [...BY_LONG.keys()].map((name) => `--${name}`);
