#!/usr/bin/env node
// Starts the command line: the sources, by type stripping, in a checkout; the build where there are none.
// Assumes Node >= 26 (Temporal); in a checkout `npx` and `npm run` put the pinned Node first in PATH.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const source = fileURLToPath(new URL('../src/main.ts', import.meta.url));

if (globalThis.Temporal === undefined || process.execve === undefined) {
  process.stderr.write(
    'postern: this needs Node 26 or later; in a checkout run it as `npx --no-install postern`\n',
  );
  process.exitCode = 2;
} else if (existsSync(source)) {
  // `--conditions` cannot stand in a portable shebang line, so this process becomes the real one:
  // no child, so signals and exit codes are the command's own.
  process.execve(process.execPath, [
    process.execPath,
    '--conditions=source',
    source,
    ...process.argv.slice(2),
  ]);
} else {
  await import(built);
}
