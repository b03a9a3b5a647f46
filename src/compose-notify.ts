// Joins the notify room to the store and to the configuration: who is told, the mail server, the operator's webhooks. Cold.
// Guarantees: the notifier runs when this returns, and is closed, with its mail connections, before the store is.
import { hash } from 'node:crypto';
import type { NotifyConfig } from '#config/notify-config.ts';
import type { PeopleSeen } from '#grants/people-seen.ts';
import { createSqliteNoticeAudience } from '#grants/sqlite/notice-audience.ts';
import { createSqliteNoticeOutbox } from '#grants/sqlite/notice-outbox.ts';
import { createSqlitePeopleSeen } from '#grants/sqlite/people-seen.ts';
import type { SettingsSource } from '#grants/sqlite/settings-source.ts';
import type { StoreCore } from '#grants/sqlite/store-core.ts';
import type { Clock } from '#model/clock.ts';
import type { Log } from '#model/log.ts';
import { createMailSender, type MailSender } from '#notify/mail-sender.ts';
import type { NoticeAudience } from '#notify/notice-outbox.ts';
import { type Notifier, startNotifier } from '#notify/notifier.ts';
import { createWebhookSender, type OperatorWebhook } from '#notify/webhook-sender.ts';
import type { NoticeSources } from '#telemetry/metrics.ts';

export interface NotifyStart {
  readonly config: NotifyConfig;
  readonly core: StoreCore;
  readonly settings: SettingsSource;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Notices {
  /** For whoever sees a verified token: the control API and the gate's sessions. */
  readonly people: PeopleSeen;
  readonly notifier: Notifier;
  /** `sources.notices` of the metrics. */
  readonly metrics: NoticeSources;
}

export function openNotices(start: NotifyStart, opened: AsyncDisposableStack): Notices {
  const { config, core, settings, clock, log } = start;
  const people = createSqlitePeopleSeen(core);
  const audience = createSqliteNoticeAudience({ core, settings, people });
  const operatorWebhooks = config.webhooks.map(operatorWebhook);
  const mail = mailSenderOf(config, audience);
  opened.defer(() => mail?.close());
  const notifier = startNotifier({
    outbox: createSqliteNoticeOutbox(core),
    audience,
    changes: core,
    clock,
    log,
    groups: config.groups,
    operatorWebhooks,
    send: {
      email: mail?.send ?? null,
      webhook: createWebhookSender({
        clock,
        audience,
        operatorWebhooks,
        dangerouslyAllowPrivateWebhooks: config.dangerouslyAllowPrivateWebhooks,
      }),
    },
  });
  opened.defer(() => notifier.close());
  return { people, notifier, metrics: metricsOf(notifier, clock) };
}

/** The id is made from the address: what waits for it finds it again after a restart. */
function operatorWebhook({ url, secret, ca }: NotifyConfig['webhooks'][number]): OperatorWebhook {
  const id = `op_${hash('sha256', url, 'hex').slice(0, 24)}`;
  return { id, url, secret: secret.reveal(), ca: ca?.reveal() ?? null };
}

function mailSenderOf({ smtp, manageUrl }: NotifyConfig, audience: NoticeAudience): MailSender | null {
  if (smtp === null) return null;
  const { host, port, tls, credentials, ca, from } = smtp;
  return createMailSender({
    smtp: {
      host,
      port,
      tls,
      credentials:
        credentials === null ? null : { user: credentials.user, password: credentials.password.reveal() },
      ca: ca?.reveal() ?? null,
      from,
    },
    audience,
    manageUrl,
  });
}

function metricsOf(notifier: Notifier, clock: Clock): NoticeSources {
  return {
    counts: () => notifier.counts(),
    async backlog() {
      const { due, oldestAt } = await notifier.backlog();
      return { due, oldestAgeMs: oldestAt === null ? 0 : Math.max(0, clock.now() - oldestAt) };
    },
  };
}
