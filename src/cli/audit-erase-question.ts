// Asks the person at the terminal before what cannot be undone; a program that runs the command has decided already.
// Only a whole word is a yes. Not hot.
import { createInterface } from 'node:readline/promises';

/** True without a question where standard input is no terminal. */
export async function askOnTerminal(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`${question} Type "erase": `)).trim() === 'erase';
  } finally {
    terminal.close();
  }
}
