// Prints how well the lint's model does on the labelled tables: `npm run lint:measure`. With a file as argument, on that
// document of Unleash 8.2.0 (the running server's /docs/openapi.json) instead of the reduced copy. With `--reduce FILE`
// it prints such a reduced copy: names only, no prose, since the product's licence covers its prose.
import { readFileSync } from 'node:fs';
import { DEFAULT_MIN_SCORE } from '#policy/lint/suspicion.ts';
import {
  helpDeskOperations,
  measure,
  type Measurement,
  operationsOfLabels,
  readLabels,
  unleashOperations,
} from '../support/lint-measurement.ts';
import { reduceDocument } from '../support/reduce-openapi.ts';

const MAX_TOLD = 10;

function print(title: string, figures: Measurement): void {
  const { sensitive, denied, flagged, recall, precision, missed, falseAlarms, inversions } = figures;
  console.log(`${title}
  sensitive  ${sensitive}: ${denied} denied, ${flagged} flagged, ${missed.length} missed
  recall     ${recall.toFixed(3)}
  precision  ${precision.toFixed(3)} (${flagged} of ${flagged + falseAlarms.length} flagged)
  inversions ${inversions.length}`);
  if (figures.leaks > 0) {
    console.log(
      `  leaks that no document shows: ${figures.leaksFound} of ${figures.leaks} denied or flagged`,
    );
  }
  for (const line of missed) console.log(`    missed       ${line}`);
  for (const line of falseAlarms) console.log(`    false alarm  ${line}`);
  for (const line of inversions.slice(0, MAX_TOLD)) console.log(`    inversion    ${line}`);
}

const [first, second] = process.argv.slice(2);
if (first === '--reduce' && second !== undefined) {
  console.log(reduceDocument(JSON.parse(readFileSync(second, 'utf8'))));
} else {
  const unleash = unleashOperations(first);
  const labels = readLabels('unleash');
  const score = DEFAULT_MIN_SCORE;
  print(`Unleash, general policies (score ${score})`, await measure(unleash, labels, 'general', score));
  print(`\nUnleash, nothing denied (score ${score})`, await measure(unleash, labels, 'none', score));
  const helpDesk = await measure(helpDeskOperations(), readLabels('help-desk'), 'none', score);
  print(`\nA help desk, nothing denied (score ${score})`, helpDesk);
  const chat = await measure(operationsOfLabels('team-chat'), readLabels('team-chat'), 'none', score);
  print(`\nA team chat, by names alone, nothing denied (score ${score})`, chat);
}
