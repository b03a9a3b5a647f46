// What support must never do for a customer: take data out, send email in the customer's name, touch the bill.
// The help desk serves all of it to whomever it takes for an authorised user; keeping support away from it is left
// to Postern's deny rules, without a line about support in here.
import type { DatabaseSync } from 'node:sqlite';
import { readJson, textOf } from '../body.ts';
import { type Route, sendCsv, sendJson } from '../router.ts';

export function sensitiveRoutes(database: DatabaseSync): readonly Route[] {
  return [...exportRoutes(database), ...emailRoutes(database), ...billingRoutes(database)];
}

function exportRoutes(database: DatabaseSync): readonly Route[] {
  const tickets = database.prepare('SELECT id, subject, status, requester FROM tickets WHERE tenant = ?');
  const report = database.prepare(
    'SELECT status, count(*) AS tickets FROM tickets WHERE tenant = ? GROUP BY status ORDER BY status',
  );
  let exports = 0;
  return [
    {
      method: 'POST',
      path: '/api/v1/exports',
      handle: ({ response, tenant }) => {
        exports += 1;
        sendJson(response, 202, { id: `exp-${exports}`, status: 'ready', rows: tickets.all(tenant).length });
      },
    },
    {
      method: 'GET',
      path: '/api/v1/tickets.csv',
      handle: ({ response, tenant }) => sendCsv(response, 'tickets.csv', tickets.all(tenant)),
    },
    {
      method: 'GET',
      path: '/api/v1/reports/{id}/export',
      handle: ({ response, params, tenant }) =>
        sendCsv(response, `report-${Number(params['id'])}.csv`, report.all(tenant)),
    },
  ];
}

function emailRoutes(database: DatabaseSync): readonly Route[] {
  const insert = database.prepare(
    'INSERT INTO emails (tenant, recipient, subject, sentBy) VALUES (?, ?, ?, ?) RETURNING id, recipient, subject',
  );
  return [
    {
      method: 'POST',
      path: '/api/v1/emails/send',
      async handle({ request, response, tenant, actor }) {
        const body = await readJson(request);
        sendJson(response, 202, insert.get(tenant, textOf(body, 'to'), textOf(body, 'subject'), actor.email));
      },
    },
  ];
}

function billingRoutes(database: DatabaseSync): readonly Route[] {
  const invoices = database.prepare('SELECT id, amount, status, issuedOn FROM invoices WHERE tenant = ?');
  return [
    {
      method: 'GET',
      path: '/api/v1/billing/invoices',
      handle: ({ tenant }) => ({ invoices: invoices.all(tenant) }),
    },
    {
      method: 'GET',
      path: '/api/v1/billing/subscription',
      handle: () => ({ plan: 'Professional', seats: 25, renewsOn: '2027-01-01' }),
    },
    {
      method: 'PUT',
      path: '/api/v1/billing/subscription',
      async handle({ request }) {
        return { plan: textOf(await readJson(request), 'plan', 40), seats: 25, renewsOn: '2027-01-01' };
      },
    },
  ];
}
