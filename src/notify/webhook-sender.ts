// A notice to one webhook, signed. Guarantees: what a tenant configured is https, resolved and checked here, and reached at
// the checked addresses alone; what the operator configured is trusted. Never throws: how it ended is a value. Cold.
import type { Clock } from '#model/clock.ts';
import type { Notice } from '#model/notice.ts';
import type { ClaimedDelivery, NoticeAudience } from './notice-outbox.ts';
import { type HostAddress, pinnableAddresses, type ResolveHost, resolveHost } from './resolve-host.ts';
import { failedWith, problemOf, SENT, type SendResult } from './send-result.ts';
import { type PostAnswer, postWebhook } from './webhook-post.ts';
import { messageIdOf, signatureKeyOf, signedHeaders } from './webhook-signature.ts';

export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
  /** Certificates of authorities in PEM; null: the usual ones. */
  readonly ca: string | null;
}

export interface OperatorWebhook extends WebhookTarget {
  /** The same over restarts, as long as the address is the same. */
  readonly id: string;
}

export interface WebhookSenderDeps {
  readonly clock: Clock;
  readonly audience: Pick<NoticeAudience, 'settingsOf'>;
  readonly operatorWebhooks: readonly OperatorWebhook[];
  /** Tests only: a tenant may then name any address, and http. */
  readonly dangerouslyAllowPrivateWebhooks: boolean;
  /** Of tests; the name servers by default. */
  readonly resolve?: ResolveHost;
}

export type Send = (delivery: ClaimedDelivery, signal: AbortSignal) => Promise<SendResult>;

/** The body that is signed: the same for each attempt. */
export function webhookBody({ id, at, event, tenant, by, staff, facts }: Notice): Buffer {
  const timestamp = new Date(at).toISOString();
  return Buffer.from(JSON.stringify({ type: event, timestamp, data: { id, tenant, by, staff, facts } }));
}

export function createWebhookSender(deps: WebhookSenderDeps): Send {
  return async (delivery, signal) => {
    try {
      const target = await targetOf(delivery, deps);
      // Removed from the settings since: whoever removed it does not want it.
      if (target === null) return failedWith('webhook_removed', { isFinal: true });
      return await sendTo(target, delivery, { deps, signal });
    } catch (error) {
      return failedWith(signal.aborted ? 'timeout' : problemOf(error));
    }
  };
}

async function targetOf(delivery: ClaimedDelivery, deps: WebhookSenderDeps): Promise<WebhookTarget | null> {
  const { channel, recipient, notice } = delivery;
  if (channel === 'operator_webhook') {
    return deps.operatorWebhooks.find(({ id }) => id === recipient) ?? null;
  }
  if (notice.tenant === null) return null;
  const { webhooks } = await deps.audience.settingsOf(notice.tenant);
  const found = webhooks.find(({ id }) => id === recipient);
  return found === undefined ? null : { url: found.url, secret: found.secret, ca: null };
}

interface Sending {
  readonly deps: WebhookSenderDeps;
  readonly signal: AbortSignal;
}

async function sendTo(
  { url: text, secret, ca }: WebhookTarget,
  delivery: ClaimedDelivery,
  { deps, signal }: Sending,
): Promise<SendResult> {
  const url = URL.parse(text);
  const key = signatureKeyOf(secret);
  if (url === null) return failedWith('address_invalid');
  if (key === null) return failedWith('secret_invalid');
  const isOperators = delivery.channel === 'operator_webhook';
  const checked = isOperators ? null : await checkedAddresses(url, { deps, signal });
  if (typeof checked === 'string') return failedWith(checked);
  const body = webhookBody(delivery.notice);
  const id = messageIdOf(delivery);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'postern-notify',
    ...signedHeaders(key, id, { body, now: deps.clock.now() }),
  };
  return resultOf(await postWebhook({ url, body, headers, addresses: checked, ca, signal }));
}

/** Where a tenant's webhook may connect, or the word for why it may not. */
async function checkedAddresses(
  url: URL,
  { deps, signal }: Sending,
): Promise<readonly HostAddress[] | string> {
  if (url.username !== '' || url.password !== '') return 'address_invalid';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && deps.dangerouslyAllowPrivateWebhooks)) {
    return 'https_required';
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const found = await (deps.resolve ?? resolveHost)(host, signal);
  if (found.length === 0) return 'name_unknown';
  if (deps.dangerouslyAllowPrivateWebhooks) return found;
  return pinnableAddresses(found) ?? 'address_private';
}

/** 2xx alone is taken; a redirect is not followed; 410 says that there is nobody any more. */
function resultOf({ status, retryAfterMs }: PostAnswer): SendResult {
  if (status >= 200 && status < 300) return SENT;
  return failedWith(`http_${status}`, { isFinal: status === 410, retryAfterMs });
}
