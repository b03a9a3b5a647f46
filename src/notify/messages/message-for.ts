// The e-mail of a notice: subject, plain text and HTML, worded for the customer's admins or for support staff. Pure.
// Guarantees: one for every event; the subject is one line; nothing that anybody wrote is markup or another line.
import type { Notice, NoticeEvent } from '#model/notice.ts';
import { GRANT_MESSAGES } from './grant-messages.ts';
import { LOCK_MESSAGES } from './lock-messages.ts';
import { type Message, type MessageContext, type Told, toldOf } from './message.ts';
import { htmlOf, textOf } from './render.ts';
import { REQUEST_MESSAGES } from './request-messages.ts';
import { SESSION_MESSAGES } from './session-messages.ts';
import { oneLine } from './words.ts';

export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const MESSAGES: Readonly<Record<NoticeEvent, (told: Told) => Message>> = {
  ...GRANT_MESSAGES,
  ...REQUEST_MESSAGES,
  ...SESSION_MESSAGES,
  ...LOCK_MESSAGES,
};

export function messageFor(notice: Notice, context: MessageContext): Mail {
  const told = toldOf(notice, context);
  const message = MESSAGES[notice.event](told);
  const subject = oneLine(message.subject);
  return {
    subject,
    text: textOf(message, told.isStaff),
    html: htmlOf({ ...message, subject }, told.isStaff),
  };
}
