// The issuers of the token cases, each with a rule of its own, as they stand in a gate's configuration.
import { FIRST_ISSUER } from './token-maker.ts';

/** The names by which rows choose an issuer. */
export const ISSUERS: Readonly<Record<string, string>> = {
  workforce: FIRST_ISSUER,
  partner: 'https://partner.test',
  parties: 'https://parties.test',
  audiences: 'https://audiences.test',
  orgs: 'https://orgs.test',
  groups: 'https://groups.test',
  // Whoever puts issuer and id together without a border cannot tell (…/a, bc) from (…/ab, c).
  short: 'https://idp.test/a',
  long: 'https://idp.test/ab',
};

/** Beside what all of them have. */
const RULES: Readonly<Record<string, object>> = {
  partner: { org: { value: 'partner-org' }, jwks: { fromFile: 'partner.jwks.json' } },
  parties: { authorizedParties: ['support-tool'] },
  audiences: { otherAudiences: ['account'] },
  orgs: { org: { claim: 'org', oneOf: ['vendor'] } },
  groups: { require: { groups: ['support'] } },
  short: { org: { value: 'short-people' } },
  long: { org: { value: 'long-people' } },
};

export function issuerEntry(name: string, issuer: string): object {
  return {
    name,
    issuer,
    audience: 'postern',
    controlAudience: 'postern-staff-control',
    algorithms: ['ES256', 'RS256', 'EdDSA'],
    jwks: { fromFile: 'workforce.jwks.json' },
    org: { value: 'vendor' },
    ...RULES[name],
  };
}
