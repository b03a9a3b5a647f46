// The help desk's own data: two tenants that must never see each other, in an SQLite file of their own.
// Opened empty and seeded at each start, so that every demo begins alike.
import { DatabaseSync } from 'node:sqlite';

const SCHEMA = `
CREATE TABLE tenants (id TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE users (id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenants, name TEXT NOT NULL,
  email TEXT NOT NULL, role TEXT NOT NULL CHECK (role IN ('admin', 'agent', 'requester')));
CREATE TABLE tickets (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenants, subject TEXT NOT NULL,
  body TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('open', 'pending', 'solved')),
  requester TEXT NOT NULL, createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL);
CREATE INDEX tickets_by_tenant ON tickets (tenant, id);
CREATE TABLE comments (id INTEGER PRIMARY KEY, ticket INTEGER NOT NULL REFERENCES tickets ON DELETE CASCADE,
  author TEXT NOT NULL, authorKind TEXT NOT NULL, body TEXT NOT NULL, createdAt TEXT NOT NULL);
CREATE TABLE attachments (id INTEGER PRIMARY KEY, ticket INTEGER NOT NULL REFERENCES tickets ON DELETE CASCADE,
  name TEXT NOT NULL, type TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE emails (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, recipient TEXT NOT NULL,
  subject TEXT NOT NULL, sentBy TEXT NOT NULL);
CREATE TABLE invoices (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, amount TEXT NOT NULL, status TEXT NOT NULL,
  issuedOn TEXT NOT NULL);
CREATE TABLE networks (tenant TEXT NOT NULL REFERENCES tenants, address TEXT NOT NULL,
  PRIMARY KEY (tenant, address));
`;

const TENANTS = [
  ['acme', 'Acme Logistics'],
  ['globex', 'Globex Energy'],
] as const;

const USERS = [
  ['acme-ada', 'acme', 'Ada Admin', 'ada@acme.example', 'admin'],
  ['acme-alan', 'acme', 'Alan Agent', 'alan@acme.example', 'agent'],
  ['acme-rita', 'acme', 'Rita Requester', 'rita@acme.example', 'requester'],
  ['globex-gus', 'globex', 'Gus Admin', 'gus@globex.example', 'admin'],
  ['globex-gina', 'globex', 'Gina Agent', 'gina@globex.example', 'agent'],
] as const;

const TICKETS = [
  ['acme', 'Invoices arrive twice', 'Since Monday each invoice is sent two times.', 'open', 'acme-rita'],
  ['acme', 'Cannot log in with SSO', 'The login page goes round in circles.', 'pending', 'acme-rita'],
  ['acme', 'Feature request: dark mode', 'The night shift would be grateful.', 'solved', 'acme-alan'],
  ['globex', 'Turbine report is empty', 'The weekly report has no rows.', 'open', 'globex-gina'],
] as const;

const INVOICES = [
  ['INV-1001', 'acme', '490.00 EUR', 'paid', '2026-09-01'],
  ['INV-1002', 'acme', '490.00 EUR', 'open', '2026-10-01'],
  ['INV-2001', 'globex', '1290.00 EUR', 'paid', '2026-09-01'],
] as const;

/** `path` may be `:memory:`; a file must not exist yet. The caller closes it. */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA foreign_keys = ON');
  database.exec(SCHEMA);
  const now = new Date().toISOString();
  const insertTenant = database.prepare('INSERT INTO tenants VALUES (?, ?)');
  for (const row of TENANTS) insertTenant.run(...row);
  const insertUser = database.prepare('INSERT INTO users VALUES (?, ?, ?, ?, ?)');
  for (const row of USERS) insertUser.run(...row);
  const insertTicket = database.prepare(
    `INSERT INTO tickets (tenant, subject, body, status, requester, createdAt, updatedAt)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const row of TICKETS) insertTicket.run(...row, now, now);
  const insertInvoice = database.prepare('INSERT INTO invoices VALUES (?, ?, ?, ?, ?)');
  for (const row of INVOICES) insertInvoice.run(...row);
  return database;
}
