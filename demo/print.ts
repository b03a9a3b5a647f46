// All that the demo says on the terminal. Colours only where a terminal is watching.
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

function paint(style: Style, text: string): string {
  return process.stdout.isTTY ? styleText(style, text) : text;
}

export function say(text = ''): void {
  console.log(text);
}

export function heading(text: string): void {
  say();
  say(paint('bold', text));
}

/** A command to copy, alone on its lines. */
export function command(explanation: string, text: string): void {
  say();
  say(`  ${paint('dim', `# ${explanation}`)}`);
  say(`  ${text}`);
}

export function held(text: string): void {
  say(`  ${paint('green', '✓')} ${text}`);
}

export function failed(text: string, why: string): void {
  say(`  ${paint('red', '✗')} ${text}`);
  say(`      ${why}`);
}

export function complain(text: string): void {
  console.error(text);
}
