// The options of `postern audit query`, checked before anything is read. What the command does is loaded only when it
// runs. Not hot.
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RecordQuery } from '#audit/index/audit-reader.ts';
import { type AuditCommandContext, withJournal } from './audit-context.ts';
import { instant } from './instant-argument.ts';

interface QueryFlags {
  readonly journal: string;
  readonly request?: string;
  readonly tenant?: string;
  readonly principal?: string;
  readonly session?: string;
  readonly case?: string;
  readonly rule?: string;
  readonly decision?: 'allow' | 'deny';
  readonly effect?: 'read' | 'write' | 'denied';
  readonly since?: number;
  readonly until?: number;
  readonly requestsOnly: boolean;
  readonly limit: number;
  readonly order: RecordQuery['order'];
  readonly json: boolean;
}

const DEFAULT_LIMIT = 100;
const MOST = 1_000_000;

/** Adds the command `query` to `command`. */
export function addQuery(command: Command, { printer, answer }: AuditCommandContext): void {
  withJournal(command.command('query').description('show the records that match every filter'))
    .option('--request <id>', 'the request, as its answer and its record name it')
    .option('--tenant <id>', 'the tenant')
    .option('--principal <who>', 'who asked: a subject’s id, a person’s id or an email address')
    .option('--session <id>', 'the session')
    .option('--case <ref>', 'the case that the grant names')
    .option('--rule <id>', 'the rule that denied')
    .addOption(new Option('--decision <decision>', 'what was decided').choices(['allow', 'deny']))
    .addOption(
      new Option('--effect <effect>', 'what was let through, or not').choices(['read', 'write', 'denied']),
    )
    .option('--since <instant>', 'from then on: 2026-01-15T09:00:00Z', instant)
    .option('--until <instant>', 'before then', instant)
    .option('--requests-only', 'leave out events, gaps and checkpoints', false)
    .option('--limit <count>', 'how many', positive, DEFAULT_LIMIT)
    .addOption(new Option('--order <order>', 'which first').choices(['newest', 'oldest']).default('newest'))
    .option('--json', 'print one record as JSON per line', false)
    .action(async (flags: QueryFlags) => {
      const { queryAudit } = await import('./audit-query.ts');
      answer(queryAudit({ directory: flags.journal, query: queryOf(flags), json: flags.json }, printer));
    });
}

/** Filters that were not given are absent. */
function queryOf(flags: QueryFlags): Omit<RecordQuery, 'cursor'> {
  const { request, tenant, principal, session, rule, decision, effect, since, until, limit, order } = flags;
  const { case: caseRef } = flags;
  return {
    ...(request === undefined ? {} : { requestId: request }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(principal === undefined ? {} : { principal }),
    ...(session === undefined ? {} : { session }),
    ...(caseRef === undefined ? {} : { caseRef }),
    ...(rule === undefined ? {} : { rule }),
    ...(decision === undefined ? {} : { decision }),
    ...(effect === undefined ? {} : { effect }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(flags.requestsOnly ? { requestsOnly: true } : {}),
    limit,
    order,
  };
}

/** An argument of commander. */
export function positive(text: string): number {
  const number = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MOST)
    throw new InvalidArgumentError(`must be a whole number from 1 to ${MOST}.`);
  return number;
}
