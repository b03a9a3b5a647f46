// One long-lived vitest for the mutation runner: told a file, its code and its tests, it says whether they fail.
// The code is given to the module loader from memory, so that no file is ever written. Started by trials.ts alone.
import { fileURLToPath } from 'node:url';
import { BaseSequencer, createVitest, type TestSpecification, type Vitest } from 'vitest/node';

export interface TrialRequest {
  /** Absolute, as all paths here. */
  readonly file: string;
  readonly code: string;
  readonly tests: readonly string[];
}

export interface TrialAnswer {
  /** False when not every test file was run to its end and none failed: then nothing is known. */
  readonly ran: boolean;
  /** The test that failed first, or what else went wrong; null where all passed. */
  readonly failure: string | null;
}

/** The order of the target, where vitest would take the file that was slowest before. */
class InOrder extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files);
  }
}

const root = process.cwd();
const conditions = ['source', 'node', 'import', 'module', 'default'];
let current: TrialRequest | null = null;

const vitest = await start();
process.on('message', (request: TrialRequest) => {
  void run(request).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit(0));

function start(): Promise<Vitest> {
  const options = {
    root,
    config: false,
    watch: false,
    // Fresh modules for each run, whatever stands on disk: the mutant only stands in memory.
    fsModuleCache: false,
    pool: 'threads',
    isolate: false,
    fileParallelism: false,
    maxWorkers: 1,
    bail: 1,
    silent: true,
    reporters: [{}],
    execArgv: ['--conditions=source'],
    setupFiles: [fileURLToPath(new URL('./trial-setup.ts', import.meta.url))],
    sequence: { sequencer: InOrder },
    testTimeout: 20_000,
  } as const;
  // `#room/file.ts` would be left to Node, past the loader that holds the mutant.
  const alias = [{ find: /^#(\w+)\//, replacement: `${root}/src/$1/` }];
  return createVitest('test', options as unknown as Parameters<typeof createVitest>[1], {
    resolve: { alias, conditions },
    ssr: { resolve: { conditions } },
    server: { watch: null },
    plugins: [
      {
        name: 'mutant',
        enforce: 'pre',
        load: (id: string) => (current !== null && id === current.file ? current.code : null),
      },
    ],
  });
}

async function run(request: TrialRequest): Promise<TrialAnswer> {
  if (current !== null) vitest.invalidateFile(current.file);
  current = request;
  vitest.invalidateFile(request.file);
  // What an earlier run left would be reported with this one's.
  vitest.state.filesMap.clear();
  const project = vitest.getRootProject();
  try {
    const specifications = request.tests.map((test) => project.createSpecification(test));
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
    const failure = failureIn(testModules) ?? messageOf(unhandledErrors[0]);
    const passed = testModules.filter((module) => module.state() === 'passed');
    return { ran: failure !== null || passed.length === request.tests.length, failure };
  } catch (error) {
    return { ran: true, failure: messageOf(error) ?? 'the run failed' };
  }
}

type Modules = Awaited<ReturnType<Vitest['runTestSpecifications']>>['testModules'];

function failureIn(modules: Modules): string | null {
  for (const module of modules) {
    for (const test of module.children.allTests('failed')) return test.fullName;
    if (module.state() === 'failed') return messageOf(module.errors()[0]) ?? 'a test file failed';
  }
  return null;
}

function messageOf(error: unknown): string | null {
  if (error === undefined) return null;
  return error instanceof Error || hasMessage(error) ? error.message : String(error);
}

function hasMessage(error: unknown): error is { readonly message: string } {
  return typeof error === 'object' && error !== null && 'message' in error;
}
