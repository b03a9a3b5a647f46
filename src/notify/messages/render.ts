// A message as plain text and as HTML. Pure. Guarantees: whatever stands in a message is text in both, never markup: the
// five characters that mean something in HTML are escaped wherever a value stands, and there is no script, image, form or
// link in it.
import type { Listing, Message } from './message.ts';

const FOOTER = 'Sent by Postern, the gate through which support staff enter your account.';
const FOOTER_STAFF = 'Sent by Postern, the gate through which support staff enter customers’ accounts.';

export function textOf(message: Message, isStaff: boolean): string {
  const { headline, paragraphs, rows, listings, whatToDo } = message;
  const width = Math.max(0, ...rows.map(([label]) => label.length));
  const table = rows.map(([label, value]) => `  ${`${label}:`.padEnd(width + 2)}${value}`);
  const blocks = [
    headline,
    ...paragraphs,
    table.join('\n'),
    ...listings.map(({ title, lines }) => [`${title}:`, ...lines.map((line) => `  | ${line}`)].join('\n')),
    whatToDo,
    `-- \n${isStaff ? FOOTER_STAFF : FOOTER}`,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

export function htmlOf(message: Message, isStaff: boolean): string {
  const { subject, headline, paragraphs, rows, listings, whatToDo } = message;
  const row = ([label, value]: readonly [string, string]): string =>
    `<tr><th align="left" valign="top" style="padding:2px 16px 2px 0;font-weight:normal;color:#555">${escaped(label)}</th><td dir="auto" style="padding:2px 0">${escaped(value)}</td></tr>`;
  const listed = ({ title, lines }: Listing): string =>
    `<p>${escaped(title)}:</p><ul>${lines.map((line) => `<li dir="auto">${escaped(line)}</li>`).join('')}</ul>`;
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(subject)}</title></head>`,
    '<body style="font-family:sans-serif;font-size:15px;line-height:1.45;color:#111">',
    `<p><strong>${escaped(headline)}</strong></p>`,
    ...paragraphs.map((text) => `<p>${escaped(text)}</p>`),
    rows.length === 0 ? '' : `<table role="presentation">${rows.map(row).join('')}</table>`,
    ...listings.map(listed),
    `<p>${escaped(whatToDo)}</p>`,
    `<p style="color:#777;font-size:13px">${escaped(isStaff ? FOOTER_STAFF : FOOTER)}</p>`,
    '</body></html>',
  ]
    .filter((line) => line !== '')
    .join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
