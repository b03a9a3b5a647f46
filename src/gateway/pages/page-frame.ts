// The frame of every page of the gate's own: no script, nothing loaded, nothing framed, nothing kept. Guarantees: what is
// put in by `html` is escaped, but for what `html` itself has made. Cold.

/** Markup that holds no unescaped text from outside; made by `html` alone. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export function html(parts: TemplateStringsArray, ...values: readonly (string | number | Markup)[]): Markup {
  let text = parts[0] as string;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as string | number | Markup;
    text += value instanceof Markup ? value.text : escapeHtml(String(value));
    text += parts[i + 1] as string;
  }
  return new Markup(text);
}

export const NOTHING = new Markup('');

/** In text and in quoted attributes. */
function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const STYLE = new Markup(`
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
main { max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem }
dt { opacity: 0.75 } dd { margin: 0 0 0.5rem } small, footer { opacity: 0.75 }
textarea { width: 100%; box-sizing: border-box; font: inherit }
button { font: inherit; padding: 0.5rem 1rem; margin-top: 1rem }
`);

export function page(title: string, body: Markup): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`.text;
}

export const PAGE_TYPE = 'text/html; charset=utf-8';

/**
 * Name, value … for every page. `forms`: it may send its form, to its own origin. The referrer is the origin alone: a link
 * of ours holds a secret, and without any referrer a browser would not say the Origin of a form either.
 */
export function pageHeaders(forms: boolean): readonly string[] {
  return forms ? WITH_FORMS : WITHOUT_FORMS;
}

function headersWith(formAction: string): readonly string[] {
  return [
    'Content-Security-Policy',
    `default-src 'none'; style-src 'unsafe-inline'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
    'X-Frame-Options',
    'DENY',
    'X-Content-Type-Options',
    'nosniff',
    'Referrer-Policy',
    'strict-origin',
  ];
}

const WITH_FORMS = headersWith("'self'");
const WITHOUT_FORMS = headersWith("'none'");
