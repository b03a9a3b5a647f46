// What the interactive demo prints: addresses, who is who, tokens, and commands to copy.
// Tokens go into shell variables first, so that the commands stay short enough to read; a file in the demo's folder
// sets them all at once.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, heading, say } from './print.ts';
import { STAFF } from './identity-provider/staff.ts';
import type { Stage } from './stage.ts';

const ADMIN_TOKEN_SECONDS = 3600;

export async function welcome(stage: Stage, readyAfterMs: number): Promise<void> {
  const { ports } = stage;
  const app = `http://acme.helpdesk.localhost:${ports.data}`;
  const control = `http://127.0.0.1:${ports.control}`;
  const settings = `http://acme.helpdesk.localhost:${ports.helpdesk}/settings/security/support-access`;
  const [sam, samControl, eve, ada] = await Promise.all([
    stage.staffToken('sam', 'urn:postern:data'),
    stage.staffToken('sam', 'urn:postern:control'),
    stage.staffToken('eve', 'urn:postern:data'),
    stage.helpdesk.adminToken('acme-ada', ADMIN_TOKEN_SECONDS),
  ]);

  heading(`Postern's demo is ready after ${(readyAfterMs / 1000).toFixed(1)} s`);
  say(`  Helpdesk, through the gate      ${app}   (tenants: acme, globex)`);
  say(`  Helpdesk, for its own customers http://acme.helpdesk.localhost:${ports.helpdesk}`);
  say(`  Identity provider of the staff  ${stage.identityProvider.issuer}/.well-known/openid-configuration`);
  say(`  Control API                     ${control}/openapi.json`);
  say(`  Metrics                         http://127.0.0.1:${ports.ops}/metrics`);
  say(`  Configuration                   ${stage.configFile}`);
  say(`  Records                         ${stage.recordsFile}`);

  heading('Who is who');
  for (const member of Object.values(STAFF)) say(`  ${member.name.padEnd(14)} ${member.about}`);
  say('  Ada Admin      admin of the customer acme');

  const tokens = `SAM=${sam}\n\nSAM_CONTROL=${samControl}\n\nEVE=${eve}\n\nADA=${ada}\n`;
  const tokensFile = join(stage.folder, 'tokens.sh');
  writeFileSync(tokensFile, tokens, { mode: 0o600 });
  heading('Tokens (staff: 8 hours; Ada: 1 hour)');
  say(tokens.trimEnd());

  heading('Try it, in another shell');
  command('the tokens above as variables', `. ${tokensFile}`);
  command('no grant yet: 403 no_grant', `curl -sw '\\n' -H "Authorization: Bearer $SAM" ${app}/api/v1/me`);
  command(
    'the customer opens the gate (or click in a browser, see below)',
    `curl -sw '\\n' -H "Authorization: Bearer $ADA" -H 'Content-Type: application/json' ${control}/v1/tenants/acme/grants \\
    -d '{"audience":{"groups":["support"]},"access":"write","duration":"1h","caseRef":"CASE-4711","reason":{"type":"customer_initiated_support","detail":"Invoices arrive twice"}}'`,
  );
  command('Sam is in, under his own name', `curl -sw '\\n' -H "Authorization: Bearer $SAM" ${app}/api/v1/me`);
  command(
    'but never here: 403 rule_denied',
    `curl -sw '\\n' -X POST -H "Authorization: Bearer $SAM" ${app}/api/v1/exports`,
  );
  command(
    'Sam says why he enters: the records name his session, and a link takes his browser in',
    `curl -sw '\\n' -H "Authorization: Bearer $SAM_CONTROL" -H 'Content-Type: application/json' ${control}/v1/sessions \\
    -d '{"tenant":"acme","access":"write","caseRef":"CASE-4711","reason":{"type":"customer_initiated_support","detail":"Invoices arrive twice"}}'`,
  );
  command('Eve is not in support: 403', `curl -sw '\\n' -H "Authorization: Bearer $EVE" ${app}/api/v1/me`);
  command(
    'watch events live; a revoke from elsewhere cuts them',
    `curl -sN -H "Authorization: Bearer $SAM" ${app}/api/v1/events`,
  );
  command(
    'revoke (with the id that the grant was answered with)',
    `curl -sw '\\n' -X POST -H "Authorization: Bearer $ADA" ${control}/v1/grants/GRANT_ID/revoke`,
  );
  command(
    'or by the switch: open until it is shut, at most as long as the settings say',
    `curl -sw '\\n' -X PUT -H "Authorization: Bearer $ADA" -H 'Content-Type: application/json' ${control}/v1/tenants/acme/access \\
    -d '{"open":true,"duration":"3d","caseRef":"CASE-4711","reason":{"type":"customer_initiated_support","detail":"Invoices arrive twice"}}'`,
  );
  command('every request has its record', `tail -f ${stage.recordsFile}`);

  heading('In a browser');
  say(`  ${settings}`);
  say('  Log in as Ada Admin. Open and shut the gate there.');
  say();
  say('  Ctrl-C ends everything. `npm run demo -- --tour` tells the whole story by itself.');
}
