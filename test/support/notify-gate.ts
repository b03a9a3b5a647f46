// A notifier over a real store file, as compose puts it together, with whatever a test says of mail, webhooks and people.
import { join } from 'node:path';
import type { Clock } from '#model/clock.ts';
import type { LogFields } from '#model/log.ts';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import { createSqliteNoticeAudience } from '#grants/sqlite/notice-audience.ts';
import { createSqliteNoticeOutbox } from '#grants/sqlite/notice-outbox.ts';
import { createSqlitePeopleSeen } from '#grants/sqlite/people-seen.ts';
import type { PeopleSeen } from '#grants/people-seen.ts';
import { createStoreCore, type StoreCore } from '#grants/sqlite/store-core.ts';
import { createMailSender, type SmtpOptions } from '#notify/mail-sender.ts';
import type { NoticeOutbox, NoticeSettings } from '#notify/notice-outbox.ts';
import { type Notifier, type NotifierDeps, startNotifier } from '#notify/notifier.ts';
import type { ResolveHost } from '#notify/resolve-host.ts';
import { createWebhookSender, type OperatorWebhook } from '#notify/webhook-sender.ts';

export interface NotifyOptions
  extends Partial<Pick<NotifierDeps, 'attemptMs' | 'pollMs' | 'drainMs' | 'random'>> {
  readonly folder: string;
  readonly clock: Clock;
  readonly smtp?: SmtpOptions;
  readonly settings?: Partial<NoticeSettings>;
  readonly operatorWebhooks?: readonly OperatorWebhook[];
  readonly allowPrivate?: boolean;
  readonly resolve?: ResolveHost;
  /** Puts itself between the notifier and its outbox. */
  readonly around?: (outbox: NoticeOutbox) => NoticeOutbox;
}

export interface NotifyGate extends AsyncDisposable {
  readonly core: StoreCore;
  readonly people: PeopleSeen;
  readonly notifier: Notifier;
  readonly lines: { readonly level: string; readonly fields: LogFields; readonly text: string }[];
  /** Resolves when nothing waits and every notice was planned. */
  idle(): Promise<void>;
}

export function startNotify(options: NotifyOptions): NotifyGate {
  const { clock, folder, smtp, operatorWebhooks = [], around = (outbox) => outbox } = options;
  const core = createStoreCore({ path: join(folder, 'store.db'), clock });
  const people = createSqlitePeopleSeen(core);
  const own = { ...DEFAULT_TENANT_SETTINGS, timeZone: 'Europe/Berlin', ...options.settings };
  const audience = createSqliteNoticeAudience({ core, settings: () => own, people });
  const outbox = around(createSqliteNoticeOutbox(core));
  const mail = smtp === undefined ? null : createMailSender({ smtp, audience, manageUrl: null });
  const lines: NotifyGate['lines'] = [];
  const logAt =
    (level: string) =>
    (fields: LogFields, text: string): void => {
      lines.push({ level, fields, text });
    };
  const notifier = startNotifier({
    outbox,
    audience,
    changes: core,
    clock,
    log: { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') },
    groups: new Map(),
    operatorWebhooks,
    send: {
      email: mail?.send ?? null,
      webhook: createWebhookSender({
        clock,
        audience,
        operatorWebhooks,
        dangerouslyAllowPrivateWebhooks: options.allowPrivate ?? false,
        ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
      }),
    },
    pollMs: options.pollMs ?? 50,
    drainMs: options.drainMs ?? 200,
    ...(options.attemptMs === undefined ? {} : { attemptMs: options.attemptMs }),
    ...(options.random === undefined ? {} : { random: options.random }),
  });
  return {
    core,
    people,
    notifier,
    lines,
    async idle() {
      for (;;) {
        const unplanned = await outbox.unplanned('', 1);
        if (unplanned.length === 0 && (await outbox.backlog()).due === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async [Symbol.asyncDispose]() {
      await notifier.close();
      mail?.close();
      await core.close();
    },
  };
}

/** A row of the deliveries, for what a receiver cannot show. */
export function deliveriesOf(core: StoreCore): Promise<readonly Record<string, unknown>[]> {
  return core.read(({ sql }) =>
    sql(
      'SELECT channel, recipient, state, attempts, problem, due_at FROM deliveries ORDER BY notice, channel, recipient',
    ).all(),
  );
}
