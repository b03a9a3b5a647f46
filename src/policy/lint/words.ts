// Names of an API → the words in them, so that one vocabulary serves camelCase, kebab-case, snake_case and prose.
// Guarantees: words are lower-case ASCII letters and digits, in the singular; linear in the text. Cold.

/** Written as one word though they are two, or as two though they are one: brought to the form of the vocabulary. */
const COMPOUNDS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    apikey: ['api', 'key'],
    apitoken: ['api', 'token'],
    accesstoken: ['access', 'token'],
    authtoken: ['auth', 'token'],
    bulkextract: ['bulk', 'extract'],
    chatbot: ['bot'],
    creditcard: ['credit', 'card'],
    emailaddress: ['email', 'address'],
    filedownload: ['file', 'download'],
    inviteuser: ['invite', 'user'],
    logon: ['login'],
    signin: ['login'],
    mails: ['email'],
    mail: ['email'],
    mailing: ['email'],
    passwd: ['password'],
    pwd: ['password'],
    passphrase: ['password'],
    passcode: ['password'],
    paymentmethod: ['payment', 'method'],
    resetpassword: ['reset', 'password'],
    sendemail: ['send', 'email'],
    sendmail: ['send', 'email'],
    superuser: ['admin'],
    useradmin: ['user', 'admin'],
    usermanagement: ['user', 'management'],
    xls: ['spreadsheet'],
    xlsx: ['spreadsheet'],
    ods: ['spreadsheet'],
    excel: ['spreadsheet'],
    exporter: ['export'],
    exported: ['export'],
    exporting: ['export'],
    downloadable: ['download'],
    downloading: ['download'],
    invitation: ['invite'],
    inviting: ['invite'],
    sending: ['send'],
    resend: ['send'],
    impersonation: ['impersonate'],
    impersonating: ['impersonate'],
    summarise: ['summarize'],
    licence: ['license'],
    organisation: ['organization'],
    authorisation: ['authorization'],
  }),
);

/** Split before the camel humps would tear them apart. */
const WHOLE: readonly (readonly [RegExp, string])[] = [
  [/o-?auth2?/gi, ' oauth '],
  [/e-mail/gi, ' email '],
  [/sign[-_ ]?in(?![a-z])/gi, ' login '],
  [/log[-_ ]in(?![a-z])/gi, ' login '],
  [/sign[-_ ]?up(?![a-z])/gi, ' signup '],
  [/(?:2|two[-_ ]?)fa(?:ctor)?(?![a-z])/gi, ' mfa '],
  [/two[-_ ]?factor/gi, ' mfa '],
  [/multi[-_ ]?factor/gi, ' mfa '],
  [/open[-_ ]?id(?![a-z])/gi, ' oidc '],
  [/SSO(?![a-z])/g, ' sso '],
];

/** In order, repetitions kept: neighbours make phrases. */
export function wordsOf(name: string): readonly string[] {
  let text = name;
  for (const [pattern, replacement] of WHOLE) text = text.replace(pattern, replacement);
  const parts = text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((part) => part !== '');
  return parts.flatMap((part) => COMPOUNDS.get(part) ?? COMPOUNDS.get(singular(part)) ?? [singular(part)]);
}

const KEPT = new Set([
  'sms',
  'sso',
  'status',
  'address',
  'access',
  'analysis',
  'news',
  'dns',
  'https',
  'process',
]);

/** `exports` and `policies` as `export` and `policy`; words that merely end in s stay. */
function singular(word: string): string {
  if (word.length < 4 || !word.endsWith('s') || KEPT.has(word) || /(?:ss|us|is)$/.test(word)) return word;
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (/(?:sh|ch|x|ss)es$/.test(word)) return word.slice(0, -2);
  return word.slice(0, -1);
}

/** Every run of one to three neighbouring words, joined by a space: what the vocabulary is asked for. */
export function phrasesOf(words: readonly string[]): readonly string[] {
  const phrases: string[] = [];
  for (let i = 0; i < words.length; i++) {
    for (let length = 1; length <= 3 && i + length <= words.length; length++) {
      phrases.push(words.slice(i, i + length).join(' '));
    }
  }
  return phrases;
}
