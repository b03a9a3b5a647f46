// A notice as one e-mail to one address over SMTP (nodemailer). Guarantees: TLS from the start or STARTTLS that must succeed,
// unless the operator said otherwise; one recipient a message, so that nobody learns of the others; Message-ID and date
// are the same for each attempt; no file and no URL is ever read for it. Never throws: how it ended is a value. Cold.
import { createTransport } from 'nodemailer';
import { messageFor } from './messages/message-for.ts';
import type { ClaimedDelivery, NoticeAudience } from './notice-outbox.ts';
import { failedWith, problemOf, SENT, type SendResult } from './send-result.ts';
import { messageIdOf } from './webhook-signature.ts';
import type { Send } from './webhook-sender.ts';

export interface SmtpOptions {
  readonly host: string;
  readonly port: number;
  /** `plain` is the operator's loud choice. */
  readonly tls: 'implicit' | 'starttls' | 'plain';
  readonly credentials: { readonly user: string; readonly password: string } | null;
  /** Certificates of authorities in PEM; null: the usual ones. */
  readonly ca: string | null;
  /** The sender's address, without a name. */
  readonly from: string;
}

export interface MailSenderDeps {
  readonly smtp: SmtpOptions;
  readonly audience: Pick<NoticeAudience, 'settingsOf'>;
  /** Where an admin manages access, with `{tenant}` in it; null: messages say it in words. */
  readonly manageUrl: string | null;
}

export interface MailSender {
  readonly send: Send;
  close(): void;
}

const CONNECT_MS = 10_000;
const SOCKET_MS = 20_000;
const MAX_CONNECTIONS = 4;

export function createMailSender({ smtp, audience, manageUrl }: MailSenderDeps): MailSender {
  const transport = createTransport({
    pool: true,
    host: smtp.host,
    port: smtp.port,
    secure: smtp.tls === 'implicit',
    requireTLS: smtp.tls === 'starttls',
    ignoreTLS: smtp.tls === 'plain',
    maxConnections: MAX_CONNECTIONS,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    socketTimeout: SOCKET_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(smtp.ca === null ? {} : { ca: smtp.ca }) },
    ...(smtp.credentials === null
      ? {}
      : { auth: { user: smtp.credentials.user, pass: smtp.credentials.password } }),
  });
  const domain = smtp.from.slice(smtp.from.lastIndexOf('@') + 1);

  async function send(delivery: ClaimedDelivery): Promise<SendResult> {
    const { address, notice, side } = delivery;
    if (address === null) return failedWith('address_invalid', { isFinal: true });
    try {
      const timeZone = notice.tenant === null ? 'UTC' : (await audience.settingsOf(notice.tenant)).timeZone;
      const { subject, text, html } = messageFor(notice, { side, timeZone, manageUrl });
      await transport.sendMail({
        from: smtp.from,
        to: { name: '', address },
        envelope: { from: smtp.from, to: [address] },
        subject,
        text,
        html,
        date: new Date(notice.at),
        messageId: `<${messageIdOf(delivery)}@${domain}>`,
        // RFC 3834: no automatic answer is wanted.
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      });
      return SENT;
    } catch (error) {
      return failedWith(mailProblemOf(error), { isFinal: isAddressRefused(error) });
    }
  }

  return { send, close: () => transport.close() };
}

interface SmtpError {
  readonly responseCode?: unknown;
  readonly response?: unknown;
  readonly command?: unknown;
}

/** `EENVELOPE_550`: the library's word and the server's number, and nothing of what the server said. */
function mailProblemOf(error: unknown): string {
  const { responseCode } = (error ?? {}) as SmtpError;
  const word = problemOf(error);
  return typeof responseCode === 'number' ? `${word}_${responseCode}` : word;
}

/**
 * RFC 3463: 5.1.x of a bad destination and 5.2.1 (disabled). Only what names the mailbox itself is final. Every other
 * refusal may be our own configuration, and must not lose what is waiting.
 */
function isAddressRefused(error: unknown): boolean {
  const { command, response } = (error ?? {}) as SmtpError;
  return (
    command === 'RCPT TO' &&
    typeof response === 'string' &&
    /^55[0-9][ -]5\.(?:1\.(?:1|2|3|6|10)|2\.1)\b/.test(response)
  );
}
