// The whole story, told by doing it: each step is a request to the running gate and a check of what came back, and
// at the end the records must tell the same story. Every wait has an end; nothing waits a fixed time.
import type { Stage } from '../stage.ts';
import { heading, say } from '../print.ts';
import { type Admin, createAdmin, createStaff, type Staff } from './actors.ts';
import { tellDenials } from './denials.ts';
import { tellEntry } from './entry.ts';
import { createRecords, type Records } from './records.ts';
import { tellRecords } from './records-chapter.ts';
import { tellRevoke } from './revoke.ts';
import { tellSession } from './session.ts';
import { createSteps, type Steps, TourEnded } from './steps.ts';

/** What one request must look like in the records: dotted member name → value. */
interface Expectation {
  readonly what: string;
  readonly requestId: string;
  readonly event: string;
  readonly members: Readonly<Record<string, unknown>>;
}

export interface Story extends Steps {
  readonly stage: Stage;
  readonly sam: Staff;
  readonly lena: Staff;
  readonly eve: Staff;
  readonly ada: Admin;
  readonly records: Records;
  /** Filled by the steps, held against the records at the end. */
  readonly expectations: Expectation[];
}

/** True only if every step held. What did not hold has been printed. */
export async function walkTour(stage: Stage): Promise<boolean> {
  const [sam, lena, eve] = await Promise.all([
    createStaff(stage, 'sam'),
    createStaff(stage, 'lena'),
    createStaff(stage, 'eve'),
  ]);
  const story: Story = {
    ...createSteps(),
    stage,
    sam,
    lena,
    eve,
    ada: createAdmin(stage, 'acme-ada'),
    records: createRecords(stage.recordsFile),
    expectations: [],
  };
  try {
    const grantId = await tellEntry(story);
    await tellSession(story);
    await tellDenials(story);
    await tellRevoke(story, grantId);
    await tellRecords(story, grantId);
  } catch (error) {
    if (error instanceof TourEnded) return false;
    throw error;
  }
  heading('Every step held.');
  say();
  return true;
}
