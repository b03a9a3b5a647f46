// What a person sees in a browser when the gate refuses: what was refused and why, in one small page without
// scripts. Everything in it is escaped, the rule's message included.
import type { Problem } from '#model/problem.ts';

export function denialPage(problem: Problem): string {
  const message = problem.rule?.message ?? null;
  const rule =
    problem.rule === undefined
      ? ''
      : `<p>${message === null ? '' : `${escapeHtml(message)} `}<small>Rule <code>${escapeHtml(problem.rule.id)}</code> (${escapeHtml(problem.rule.category)})</small></p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${problem.status} ${escapeHtml(problem.title)}</title>
<style>
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
main { max-width: 38rem; margin: 15vh auto; padding: 0 1.5rem }
small, footer { opacity: 0.75 }
</style>
</head>
<body>
<main>
<h1>${escapeHtml(problem.title)}</h1>
${rule}
<footer><p><small>Support access gate. ${problem.status}, <code>${problem.reason}</code>, request <code>${problem.requestId}</code></small></p></footer>
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
