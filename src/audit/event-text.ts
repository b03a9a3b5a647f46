// Builds the journal's rare lines: lifecycle events, gaps and the first line of a process. Not hot.
// Assumes that details hold no secrets (the contract of LifecycleEvent); caps what came from outside.
import type { LifecycleEvent } from './journal.ts';
import type { EventLine, GapLine, OpenedLine } from './journal-lines.ts';
import { asciiJson, capped } from './json-text.ts';
import { CAPS } from './line-text.ts';
import { uuid7 } from './uuid7.ts';

const MAX_DETAILS = 32;

export function eventText(event: LifecycleEvent, t: number): string {
  const { grant, actor } = event;
  const line: EventLine = {
    k: 'event',
    id: uuid7(t),
    t,
    event: event.event,
    tenant: cappedOrNull(event.tenant),
    grant: grant === null ? null : { id: capped(grant.id, CAPS.id), revision: grant.revision },
    actor:
      actor === null
        ? null
        : {
            id: capped(actor.id, CAPS.id),
            issuer: capped(actor.issuer, CAPS.id),
            email: cappedOrNull(actor.email),
            name: cappedOrNull(actor.name),
          },
    details: cappedDetails(event.details),
  };
  return `${asciiJson(line)}\n`;
}

export function gapText(gap: Omit<GapLine, 'k' | 'id'>): string {
  const line: GapLine = { k: 'gap', id: uuid7(gap.until), ...gap };
  return `${asciiJson(line)}\n`;
}

export function openedText(opened: Omit<OpenedLine, 'k'>): string {
  const line: OpenedLine = { k: 'opened', ...opened };
  return `${asciiJson(line)}\n`;
}

function cappedOrNull(value: string | null): string | null {
  return value === null ? null : capped(value, CAPS.id);
}

function cappedDetails(details: LifecycleEvent['details']): LifecycleEvent['details'] {
  const entries = Object.entries(details).slice(0, MAX_DETAILS);
  return Object.fromEntries(
    entries.map(([key, value]) => [
      capped(key, CAPS.id),
      typeof value === 'string' ? capped(value, CAPS.detail) : value,
    ]),
  );
}
