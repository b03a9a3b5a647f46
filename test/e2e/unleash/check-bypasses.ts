// Other spellings of denied operations. Unleash itself serves many of them (its router ignores case and a trailing
// slash, and merges slashes), so each must be refused: by the rule, or because the target is not canonical.
import type { Gate } from './gate.ts';
import type { Report } from './report.ts';

interface Spelling {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const TOKENS: readonly string[] = [
  '/API/Admin/API-Tokens',
  '/api/admin/api-tokens/',
  '//api//admin///api-tokens',
  '/api/admin/%61pi-tokens',
  '/api/admin/api%2Dtokens',
  '/api/admin%2Fapi-tokens',
  '/api/admin/%2561pi-tokens',
  '/api/admin/./api-tokens',
  '/api/admin/projects/../api-tokens',
  '/api/admin/projects/%2e%2e/api-tokens',
  '/api/admin/api-tokens;v=1',
  '/api/admin;v=1/api-tokens',
  '/api/admin/api-tokens.json',
  '/api/admin/api-tokens%20',
  '/api/admin/api-tokens%00',
  '/api\\admin\\api-tokens',
  '/api/admin/api-tokens?project=default',
  '/unleash/api/admin/api-tokens',
  'http://acme.unleash.test/api/admin/api-tokens',
];

const SPELLINGS: readonly Spelling[] = [
  ...TOKENS.map((path) => ({ method: 'GET', path })),
  { method: 'HEAD', path: '/api/admin/api-tokens' },
  { method: 'POST', path: '/api/admin/Features-Batch/Export/' },
  { method: 'POST', path: '/api/admin/features-batch/export?_method=GET' },
  { method: 'GET', path: '/api/admin/instance-admin/statistics/CSV' },
  { method: 'GET', path: '/api/admin/segments/1?_method=DELETE' },
  { method: 'POST', path: '/Auth/Reset/Password-Email' },
  { method: 'GET', path: '/internal-backstage/prometheus' },
  { method: 'GET', path: '/api/admin/email/preview/html/getting-started' },
  { method: 'GET', path: '/api/admin/projects', headers: { 'x-original-url': '/api/admin/api-tokens' } },
  { method: 'GET', path: '/api/admin/projects', headers: { 'x-http-method-override': 'DELETE' } },
];

/** The last two are harmless only without their header: they may go through, the header may not count. */
const MAY_PASS = (spelling: Spelling): boolean => spelling.headers !== undefined;

export async function checkBypasses(gate: Gate, report: Report): Promise<void> {
  for (const spelling of SPELLINGS) {
    const { method, path, headers } = spelling;
    const answer = await gate.ask(method, path, {
      ...(headers === undefined ? {} : { headers }),
      ...(method === 'POST' ? { json: {} } : {}),
    });
    const name = `${method} ${path}${headers === undefined ? '' : ` with ${Object.keys(headers).join()}`}`;
    if (MAY_PASS(spelling)) {
      const isPlain = answer.refusal !== null || answer.text.includes('"projects"');
      report.check(`${name} is judged and answered without its header`, isPlain, answer.text.slice(0, 200));
    } else {
      report.check(`${name} is refused`, answer.refusal !== null, `forwarded, answered ${answer.status}`);
    }
  }
}
