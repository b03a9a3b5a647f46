// Configuration files for tests: the smallest one that works, changes to it, and a folder that goes away.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Config } from '#config/config.ts';
import { type ConfigResult, loadConfig, parseConfig } from '#config/load-config.ts';
import { formatProblems, type Problem } from '#config/problem.ts';

export const SMALLEST = `upstream: { url: "http://127.0.0.1:3000" }
tenancy: { from: host, pattern: "{tenant}.app.example.com" }
identity: { support: [{ issuer: https://idp.example }] }
`;

/** The smallest file and more top-level keys below it, from line 4 on. */
export function smallestWith(more: string): string {
  return SMALLEST + more;
}

export interface TestFolder extends Disposable {
  readonly path: string;
  /** Writes a file and returns its absolute path. */
  write(name: string, content: string): string;
}

export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'postern-config-'));
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export function parse(
  text: string,
  env: Record<string, string> = {},
  file = '/etc/postern/postern.yaml',
): ConfigResult {
  return parseConfig(text, { file, env });
}

/** The configuration, or a failure that shows the problems. */
export function configOf(text: string, env: Record<string, string> = {}, file?: string): Config {
  return expectConfig(parse(text, env, file));
}

export function configAt(file: string, env: Record<string, string> = {}): Config {
  return expectConfig(loadConfig({ file, env }));
}

function expectConfig(result: ConfigResult): Config {
  if (!result.ok) throw new Error(formatProblems(result.problems));
  return result.config;
}

export function problemsOf(
  text: string,
  env: Record<string, string> = {},
  file?: string,
): readonly Problem[] {
  const result = parse(text, env, file);
  return result.ok ? [] : result.problems;
}

/** `line:column message`, one per problem. */
export function told(problems: readonly Problem[]): readonly string[] {
  return problems.map((one) => `${one.line}:${one.column} ${one.message}`);
}
