// Notices: the mail server's address and credentials out of one secret, the operator's webhooks, groups. Cold.
// Guarantees: mail is not sent in the clear unless the file says so loudly; every secret is long enough to sign with.
import { isMailAddress } from '#model/mail-address.ts';
import { buildAuthorities, MIN_SECRET_BYTES, signatureBytes } from './build-sinks.ts';
import type { NotifyConfig, NotifyWebhook, SmtpConfig } from './notify-config.ts';
import { quoted } from './problem.ts';
import type { Reader } from './reader.ts';
import { type Secret, secretOf } from './secret.ts';
import { postUrlProblem } from './urls.ts';
import { pointerTo } from './yaml-source.ts';

const NOTHING = secretOf('', null);
const PORTS = { implicit: 465, starttls: 587, plain: 25 } as const;

export function buildNotify(reader: Reader): NotifyConfig {
  const isPrivateAllowed = reader.flag('/notify/dangerouslyAllowPrivateWebhooks');
  if (isPrivateAllowed) {
    reader.warn(
      '/notify/dangerouslyAllowPrivateWebhooks',
      'a customer can make the gate send requests to any address that it reaches, this machine included',
    );
  }
  return {
    smtp: reader.has('/notify/smtp') ? buildSmtp(reader, '/notify/smtp') : null,
    webhooks: buildWebhooks(reader),
    groups: buildGroups(reader),
    manageUrl: buildManageUrl(reader),
    dangerouslyAllowPrivateWebhooks: isPrivateAllowed,
  };
}

function buildSmtp(reader: Reader, pointer: string): SmtpConfig {
  const isPlainAllowed = reader.flag(`${pointer}/dangerouslyAllowPlaintextSmtp`);
  if (isPlainAllowed) {
    reader.warn(
      `${pointer}/dangerouslyAllowPlaintextSmtp`,
      'mail and the password of the mail server may go out in the clear: whoever stands between reads both',
    );
  }
  const from = reader.text(`${pointer}/from`);
  if (from !== '' && !isMailAddress(from)) {
    reader.problem(`${pointer}/from`, `${quoted(from)} is not an e-mail address without a name`);
  }
  const url = reader.secret(`${pointer}/url`);
  const server = url === null ? null : serverOf(url, isPlainAllowed);
  if (url !== null && server === null) {
    reader.problem(
      `${pointer}/url`,
      'the secret must be smtps://user:password@host:port, or smtp:// for STARTTLS, without a path',
    );
  }
  const fallback = { host: '', port: PORTS.implicit, tls: 'implicit', credentials: null } as const;
  return { ...(server ?? fallback), from, ca: buildAuthorities(reader, `${pointer}/tls/ca`) };
}

/** Null for what is no address of a mail server; nothing of it is repeated, for it holds the password. */
function serverOf(url: Secret, isPlainAllowed: boolean): Omit<SmtpConfig, 'from' | 'ca'> | null {
  const parsed = URL.parse(url.reveal());
  if (parsed === null || (parsed.protocol !== 'smtps:' && parsed.protocol !== 'smtp:')) return null;
  const { hostname, port, username, password, pathname, search, hash } = parsed;
  if (hostname === '' || (pathname !== '' && pathname !== '/') || search !== '' || hash !== '') return null;
  if ((username === '') !== (password === '')) return null;
  const tls = parsed.protocol === 'smtps:' ? 'implicit' : isPlainAllowed ? 'plain' : 'starttls';
  const [user, secret] = [decoded(username), decoded(password)];
  if (user === null || secret === null) return null;
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? PORTS[tls] : Number(port),
    tls,
    credentials: user === '' ? null : { user, password: secretOf(secret, url.file) },
  };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function buildWebhooks(reader: Reader): readonly NotifyWebhook[] {
  const seen = new Set<string>();
  return Array.from({ length: reader.count('/notify/webhooks') }, (_, index) => {
    const pointer = `/notify/webhooks/${index}`;
    const url = reader.text(`${pointer}/url`);
    const problem = url === '' ? null : postUrlProblem(url, false);
    if (problem !== null) reader.problem(`${pointer}/url`, `url ${problem}`);
    if (seen.has(url)) reader.problem(pointer, 'another webhook has the same address');
    seen.add(url);
    const secret = reader.secret(`${pointer}/secret`);
    if (secret !== null && signatureBytes(secret.reveal()) < MIN_SECRET_BYTES) {
      reader.problem(
        `${pointer}/secret`,
        `the secret must be whsec_ and base64, or a text, of at least ${MIN_SECRET_BYTES} bytes`,
      );
    }
    return { url, secret: secret ?? NOTHING, ca: buildAuthorities(reader, `${pointer}/tls/ca`) };
  });
}

function buildGroups(reader: Reader): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  for (const name of reader.keys('/notify/groups')) {
    const place = pointerTo('/notify/groups', name);
    const address = reader.text(place);
    if (address !== '' && !isMailAddress(address)) {
      reader.problem(place, `${quoted(address)} is not an e-mail address without a name`);
    }
    groups.set(name, address);
  }
  return groups;
}

function buildManageUrl(reader: Reader): string | null {
  const text = reader.text('/notify/manageUrl');
  if (text === '') return null;
  const url = URL.parse(text.replaceAll('{tenant}', 'tenant'));
  if (url === null || url.protocol !== 'https:' || url.username !== '' || /[\s<>"]/.test(text)) {
    reader.problem(
      '/notify/manageUrl',
      'must be an https:// address, with {tenant} where the account stands',
    );
  }
  return text;
}
