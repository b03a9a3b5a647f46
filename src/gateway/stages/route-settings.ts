// What this route opts in to (`kind: RouteSettings`), and the refusals that hold where it does not: P3 and P9.
// The policy is read here, and again before the rules where another one came meanwhile.
import { deny, PASS, type Verdict } from '#model/verdict.ts';
import type { RouteSettings } from '#policy/compiled-policy.ts';
import type { PolicySource } from '#policy/policy-source.ts';
import type { Exchange } from '../exchange.ts';
import type { Stage } from '../stage.ts';

export interface RouteSettingsDeps {
  readonly policies: PolicySource;
  readonly bodyBytes: number;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

export interface RouteSettingsStage extends Stage {
  run(x: Exchange): Verdict;
}

export function routeSettingsStage({ policies, ...defaults }: RouteSettingsDeps): RouteSettingsStage {
  return {
    name: 'route-settings',
    run(x) {
      const policy = policies.current;
      if (policy === null) return deny('policy_unavailable');
      const settings = policy.settingsFor(x.routePath);
      x.policy = policy;
      x.policyDigest = policy.digest;
      x.settings = settings;
      x.maxBodyBytes = settings.maxBodyBytes ?? defaults.bodyBytes;
      x.headersTimeoutMs = settings.headersTimeoutMs ?? defaults.headersTimeoutMs;
      x.idleTimeoutMs = settings.idleTimeoutMs ?? defaults.idleTimeoutMs;
      return judge(x, settings);
    },
  };
}

function judge(x: Exchange, settings: RouteSettings): Verdict {
  if (x.target === null) return deny('bad_request_target');
  if (x.target.encodedSlash && !settings.allowEncodedSlash) {
    return deny('bad_request_target', 'an encoded separator on a route that does not opt in');
  }
  if (x.target.encodedPercent && !settings.allowEncodedPercent) {
    return deny('bad_request_target', 'a doubly encoded byte on a route that does not opt in');
  }
  const { contentLength } = x.head;
  if (contentLength === 0) return PASS;
  if ((x.method === 'GET' || x.method === 'HEAD') && !settings.allowGetBody) {
    return deny('bad_framing', 'a body on GET or HEAD');
  }
  return contentLength > x.maxBodyBytes ? deny('body_too_large') : PASS;
}
