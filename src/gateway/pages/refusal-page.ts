// What a person sees in a browser when the gate refuses: what was refused, why, and what to do about it. Everything in it
// is escaped, a rule's and a lock's message included. Cold.
import type { Problem } from '#model/problem.ts';
import { LEAVE_PATH } from '../reserved-paths.ts';
import { html, type Markup, NOTHING, page } from './page-frame.ts';
import { hintFor } from './refusal-hints.ts';

/** `base`: what stands before our prefix where tenancy is by path. `inSession`: a cookie names a session to leave. */
export interface RefusalPageFacts {
  readonly base: string;
  readonly inSession: boolean;
}

export function refusalPage(problem: Problem, { base, inSession }: RefusalPageFacts): string {
  const { status, title, reason, requestId, detail } = problem;
  const hint = hintFor(reason);
  return page(
    title,
    html`${ruleText(problem)}${detail === undefined ? NOTHING : html`<p>${detail}</p>\n`}${
      hint === null ? NOTHING : html`<p>${hint}</p>\n`
    }${inSession ? html`<p><a href="${base}${LEAVE_PATH}">Leave the support session</a></p>\n` : NOTHING}<footer><p><small>Support access gate. ${status}, <code>${reason}</code>, request <code>${requestId}</code></small></p></footer>`,
  );
}

function ruleText({ rule }: Problem): Markup {
  if (rule === undefined) return NOTHING;
  const message = rule.message === null ? NOTHING : html`${rule.message} `;
  return html`<p>${message}<small>Rule <code>${rule.id}</code> (${rule.category})</small></p>\n`;
}
