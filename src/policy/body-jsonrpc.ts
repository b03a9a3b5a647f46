// `jsonrpc`: methods of JSON-RPC requests, one or a batch. Guarantees: each member of a batch counts; a request whose
// method nobody can tell is unreadable, not absent; members that differ in case are both read. Not hot.
import { isJsonObject } from '#model/strict-json.ts';
import { compileNames, type ListedNames, namesHold } from './body-names.ts';
import type { BodyAnswer, BodySelector } from './body-selector.ts';
import { answerOfOther, flawOfOther, oneOf } from './body-text.ts';
import { foldName } from './query.ts';

const METHOD = 'method';

export function compileJsonrpcSelector(methods: readonly string[]): BodySelector {
  const names = compileNames(methods);
  return Object.freeze({
    kind: 'jsonrpc',
    text: `jsonrpc method is ${oneOf(methods)}`,
    reads: (kind) => kind === 'json' || kind === 'none',
    flawOf(body) {
      if (body.kind !== 'json') return flawOfOther(body, 'json');
      return judge(body.json, names) === 'unreadable'
        ? 'a JSON-RPC request whose method cannot be told'
        : null;
    },
    judge: (body) => (body.kind === 'json' ? judge(body.json, names) : answerOfOther(body)),
  } satisfies BodySelector);
}

function judge(json: unknown, names: ListedNames): BodyAnswer {
  if (!Array.isArray(json)) return judgeRequest(json, names);
  let answer: BodyAnswer = 'absent';
  for (const member of json) {
    const ofMember = judgeRequest(member, names);
    if (ofMember === 'holds') return 'holds';
    if (ofMember === 'unreadable') answer = 'unreadable';
  }
  return answer;
}

function judgeRequest(request: unknown, names: ListedNames): BodyAnswer {
  if (!isJsonObject(request)) return 'unreadable';
  let found = 0;
  let isReadable = true;
  for (const key of Object.keys(request)) {
    if (foldName(key) !== METHOD) continue;
    const method = request[key];
    found++;
    if (typeof method !== 'string') isReadable = false;
    else if (namesHold(names, method)) return 'holds';
  }
  return found > 0 && isReadable ? 'absent' : 'unreadable';
}
