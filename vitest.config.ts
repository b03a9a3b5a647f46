import { defineConfig } from 'vitest/config';

// Rooms are imported as `#room/file.ts`; the `source` condition maps them to src/, as in development.
// Not `import`: it would hold for `require` too, and CommonJS packages would be given modules in the place of functions.
const conditions = ['source', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', '**/node_modules/**'],
    pool: 'forks',
    execArgv: ['--conditions=source'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
