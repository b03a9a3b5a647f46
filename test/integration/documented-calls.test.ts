// The calls that the documentation shows work as they stand there, against the demo they are written for.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { call, jsonOf } from '../../demo/http.ts';
import { setStage, type Stage } from '../../demo/stage.ts';

interface Shown {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Every `curl` to the control API with a body, in the order of the page; a body in single quotes leaves them for `$ID`. */
function callsOf(page: string): Shown[] {
  const text = readFileSync(page, 'utf8');
  const commands = [...text.matchAll(/^curl ([\s\S]*?) -d '((?:[^']|'"\$ID"')*)'$/gm)];
  return commands.map(([, options = '', body = '']) => {
    const headers = [...options.matchAll(/-H '([^:]+): ([^']*)'/g)].map(([, name, value]) => [name, value]);
    return {
      method: /-X (\w+)/.exec(options)?.[1] ?? 'POST',
      path: /(\/v1\/\S+)/.exec(options)?.[1] ?? '',
      token: /Bearer \$(\w+)/.exec(options)?.[1] ?? '',
      headers: Object.fromEntries(headers) as Record<string, string>,
      body,
    };
  });
}

async function tokensOf(stage: Stage): Promise<Readonly<Record<string, string>>> {
  return {
    ADA: await stage.helpdesk.adminToken('acme-ada'),
    SAM_CONTROL: await stage.staffToken('sam', 'urn:postern:control'),
  };
}

test('each call of the pages answers as the page says', async () => {
  await using stage = await setStage({ wellKnownPorts: false });
  const tokens = await tokensOf(stage);
  const answers: [string, string, number][] = [];
  for (const page of ['README.md', 'docs/settings.md', 'docs/requests.md']) {
    /** What `$ID` stands for: whatever the call before has made or changed. */
    let id = '';
    for (const { method, path, token, headers, body } of callsOf(page)) {
      const authorization = `Bearer ${tokens[token]}`;
      const answer = await call({
        port: stage.ports.control,
        method,
        path: path.replace('$ID', id),
        headers: { ...headers, authorization },
        body: body.replace(`'"$ID"'`, id),
      });
      expect(jsonOf(answer), `${page} ${path}`).not.toHaveProperty('type');
      id = String((jsonOf(answer) as { readonly id?: unknown }).id);
      answers.push([page, path, answer.status]);
    }
  }
  expect(answers).toEqual([
    ['README.md', '/v1/tenants/acme/access', 200],
    ['README.md', '/v1/sessions', 201],
    ['docs/settings.md', '/v1/tenants/acme/settings', 200],
    ['docs/settings.md', '/v1/tenants/acme/access', 200],
    ['docs/requests.md', '/v1/access-requests', 201],
    ['docs/requests.md', '/v1/access-requests/$ID/approve', 200],
    ['docs/requests.md', '/v1/access-requests', 201],
    ['docs/requests.md', '/v1/access-requests/$ID/deny', 200],
  ]);
}, 60_000);
