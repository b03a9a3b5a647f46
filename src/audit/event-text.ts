// Builds the journal's rare lines: lifecycle events, gaps and the first line of a process. Not hot.
// Assumes that details hold no secrets (the contract of LifecycleEvent); caps what came from outside.
import type { LifecycleEvent } from './journal.ts';
import type { EventLine, GapLine, OpenedLine } from './journal-lines.ts';
import { asciiJson, capped } from './json-text.ts';
import { CAPS } from './line-caps.ts';
import type { LineNumbers } from './line-text.ts';
import type { Person } from './subjects/subject-store.ts';
import { uuid7 } from './uuid7.ts';

const MAX_DETAILS = 32;

/** With the subject line of whoever did it before it: the event may be kept for another segment. */
export function eventText(event: LifecycleEvent, t: number, { tenants, context }: LineNumbers): string {
  const { grant, actor } = event;
  const subject = actor === null ? NOBODY : context.subjectLine(personOf(actor));
  const line: EventLine = {
    k: 'event',
    ...tenantOf(event.tenant, tenants),
    s: subject.s,
    id: uuid7(t),
    t,
    event: event.event,
    grant: grant === null ? null : { id: capped(grant.id, CAPS.id), revision: grant.revision },
    details: cappedDetails(event.details),
  };
  return `${subject.text}${asciiJson(line)}\n`;
}

const NOBODY = { s: 0, text: '' };

function personOf({ kind = 'principal', ...actor }: NonNullable<LifecycleEvent['actor']>): Person {
  return { ...actor, kind, org: null };
}

function tenantOf(
  tenant: string | null,
  tenants: LineNumbers['tenants'],
): { readonly tenant: null } | { readonly tenant: string; readonly n: number } {
  if (tenant === null) return { tenant };
  const entry = tenants.of(tenant);
  return { tenant: JSON.parse(entry.text) as string, n: entry.take() };
}

export function gapText(gap: Omit<GapLine, 'k' | 'id'>): string {
  const line: GapLine = { k: 'gap', id: uuid7(gap.until), ...gap };
  return `${asciiJson(line)}\n`;
}

export function openedText(opened: Omit<OpenedLine, 'k'>): string {
  const line: OpenedLine = { k: 'opened', ...opened };
  return `${asciiJson(line)}\n`;
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
