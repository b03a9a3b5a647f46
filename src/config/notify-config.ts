// What the file says of notices: the mail server, the operator's own webhooks, the addresses of groups. Types only. Cold.
// Secrets stay wrapped; compose reveals them to the room that sends.
import type { Secret } from './secret.ts';

export interface NotifyConfig {
  /** Null: no e-mail is sent. */
  readonly smtp: SmtpConfig | null;
  /** The operator's own: they hear of everything, and may be anywhere. */
  readonly webhooks: readonly NotifyWebhook[];
  /** By the group's name, as in tokens. */
  readonly groups: ReadonlyMap<string, string>;
  /** With `{tenant}` in it or not; null: none. */
  readonly manageUrl: string | null;
  readonly dangerouslyAllowPrivateWebhooks: boolean;
}

export interface SmtpConfig {
  readonly host: string;
  readonly port: number;
  /** `plain` only where the file says so loudly. */
  readonly tls: 'implicit' | 'starttls' | 'plain';
  readonly credentials: { readonly user: string; readonly password: Secret } | null;
  /** Certificates in PEM; null: the usual authorities. */
  readonly ca: Secret | null;
  readonly from: string;
}

export interface NotifyWebhook {
  readonly url: string;
  readonly secret: Secret;
  readonly ca: Secret | null;
}
