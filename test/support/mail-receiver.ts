// A real mail server on a free loopback port: keeps what it took, with its envelope, and can refuse, defer, hang or die in
// whatever order a test says. STARTTLS or TLS from the start, with a certificate made at run time.
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { selfSigned } from './upstream-certificate.ts';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string | null;
  /** As it came, headers first. */
  readonly source: string;
  /** Unfolded, by lower-case name; the last of each. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface MailReceiver extends AsyncDisposable {
  readonly port: number;
  /** Trusts it. */
  readonly ca: string;
  readonly mails: ReceivedMail[];
  /** What RCPT TO of an address is answered: nothing takes it. */
  readonly refusals: Map<string, { readonly code: number; readonly text: string }>;
  /** Connections whose DATA is answered never, while true. */
  hangs: boolean;
  /** Resolves when there are so many mails. */
  took(count: number): Promise<void>;
}

export interface MailReceiverOptions {
  /** `none`: STARTTLS is not offered. */
  readonly tls?: 'starttls' | 'implicit' | 'none';
  readonly credentials?: { readonly user: string; readonly password: string };
  readonly port?: number;
}

export async function startMailReceiver(options: MailReceiverOptions = {}): Promise<MailReceiver> {
  const { tls = 'starttls', credentials } = options;
  const pair = selfSigned();
  const mails: ReceivedMail[] = [];
  const waiting = new Set<() => void>();
  const server = new SMTPServer({
    ...pair,
    secure: tls === 'implicit',
    disabledCommands: [
      ...(tls === 'none' ? ['STARTTLS'] : []),
      ...(credentials === undefined ? ['AUTH'] : []),
    ],
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth(auth, _session, callback) {
      const isRight = auth.username === credentials?.user && auth.password === credentials?.password;
      if (isRight) callback(null, { user: auth.username ?? '' });
      else callback(new Error('no'));
    },
    onRcptTo({ address }, _session, callback) {
      const refusal = receiver.refusals.get(address);
      if (refusal === undefined) callback();
      else callback(Object.assign(new Error(refusal.text), { responseCode: refusal.code }));
    },
    onData(stream, session, callback) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        if (receiver.hangs) return;
        const source = Buffer.concat(parts).toString('utf8');
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false || mailFrom === undefined ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          secure: session.secure,
          user: typeof session.user === 'string' ? session.user : null,
          source,
          headers: headersOf(source),
        });
        callback();
        for (const check of waiting) check();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(options.port ?? 0, '127.0.0.1', () => resolve());
  });
  const receiver: MailReceiver = {
    port: (server.server.address() as AddressInfo).port,
    ca: pair.cert,
    mails,
    refusals: new Map(),
    hangs: false,
    took: (count) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (mails.length < count) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return receiver;
}

function headersOf(source: string): ReadonlyMap<string, string> {
  const head = source.slice(0, source.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
  return new Map(
    head.split('\r\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
}

/** A part of a message, decoded from quoted-printable or base64. */
export function partOf({ source }: ReceivedMail, type: 'text/plain' | 'text/html'): string {
  const boundary = /boundary="([^"]+)"/.exec(source)?.[1] ?? '';
  const part = source.split(`--${boundary}`).find((one) => one.includes(`Content-Type: ${type}`)) ?? '';
  const [head = '', ...rest] = part.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  if (/base64/i.test(head)) return Buffer.from(body, 'base64').toString('utf8');
  if (!/quoted-printable/i.test(head)) return body;
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8').replaceAll('\r\n', '\n');
}
