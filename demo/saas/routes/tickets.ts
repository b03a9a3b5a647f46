// Tickets, their comments and files. Every statement names the tenant, so that no id of another one ever fits.
import type { DatabaseSync } from 'node:sqlite';
import { readBytes, readJson, textOf } from '../body.ts';
import { HttpError } from '../http-error.ts';
import type { LiveFeed } from '../live.ts';
import { type ActorContext, type Route, sendCsv, sendJson } from '../router.ts';

const STATUSES = ['open', 'pending', 'solved'];
const MAX_FILE_BYTES = 8 * 1024 * 1024;

export interface TicketDeps {
  readonly database: DatabaseSync;
  readonly live: LiveFeed;
}

export function ticketRoutes(deps: TicketDeps): readonly Route[] {
  return [...crudRoutes(deps), ...ownRoutes(deps), ...commentRoutes(deps), ...fileRoutes(deps)];
}

function crudRoutes({ database, live }: TicketDeps): readonly Route[] {
  const list = database.prepare(
    'SELECT id, subject, status, requester, updatedAt FROM tickets WHERE tenant = ? ORDER BY id',
  );
  const insert = database.prepare(
    `INSERT INTO tickets (tenant, subject, body, status, requester, createdAt, updatedAt)
     VALUES (?, ?, ?, 'open', ?, ?, ?) RETURNING *`,
  );
  const update = database.prepare(
    'UPDATE tickets SET subject = ?, status = ?, updatedAt = ? WHERE tenant = ? AND id = ? RETURNING *',
  );
  const remove = database.prepare('DELETE FROM tickets WHERE tenant = ? AND id = ?');
  const find = ticketFinder(database);
  const comments = database.prepare(
    'SELECT author, authorKind, body, createdAt FROM comments WHERE ticket = ? ORDER BY id',
  );

  return [
    {
      method: 'GET',
      path: '/api/v1/tickets',
      handle: ({ response, tenant, url }) => {
        const tickets = list.all(tenant);
        if (url.searchParams.get('format') !== 'csv') return { tickets };
        return sendCsv(response, 'tickets.csv', tickets);
      },
    },
    {
      method: 'POST',
      path: '/api/v1/tickets',
      async handle({ request, response, tenant, actor }) {
        const body = await readJson(request);
        const now = new Date().toISOString();
        const ticket = insert.get(
          tenant,
          textOf(body, 'subject', 200),
          textOf(body, 'body'),
          actor.id,
          now,
          now,
        );
        live.publish(tenant, { type: 'ticket.created', ticket });
        sendJson(response, 201, ticket);
      },
    },
    {
      method: 'GET',
      path: '/api/v1/tickets/{id}',
      handle: (context) => {
        const ticket = find(context);
        return { ...ticket, comments: comments.all(Number(ticket['id'])) };
      },
    },
    {
      method: 'PATCH',
      path: '/api/v1/tickets/{id}',
      async handle(context) {
        const ticket = find(context);
        const body = { ...ticket, ...(await readJson(context.request)) };
        const status = textOf(body, 'status');
        if (!STATUSES.includes(status))
          throw new HttpError(422, `"status" is one of ${STATUSES.join(', ')}.`);
        const now = new Date().toISOString();
        const changed = update.get(
          textOf(body, 'subject', 200),
          status,
          now,
          context.tenant,
          Number(ticket['id']),
        );
        live.publish(context.tenant, { type: 'ticket.changed', ticket: changed });
        return changed;
      },
    },
    {
      method: 'DELETE',
      path: '/api/v1/tickets/{id}',
      handle: (context) => {
        remove.run(context.tenant, Number(find(context)['id']));
        context.response.writeHead(204).end();
      },
    },
  ];
}

/** Of whoever asks; of the user whom support acts as, where it acts as one. */
function ownRoutes({ database }: TicketDeps): readonly Route[] {
  const listOf = database.prepare(
    'SELECT id, subject, status FROM tickets WHERE tenant = ? AND requester = ? ORDER BY id',
  );
  return [
    {
      method: 'GET',
      path: '/api/v1/me/tickets',
      handle: ({ tenant, actor }) => {
        const user = actor.kind === 'support' ? (actor.actAs ?? actor.id) : actor.id;
        return { tickets: listOf.all(tenant, user) };
      },
    },
  ];
}

function commentRoutes({ database, live }: TicketDeps): readonly Route[] {
  const find = ticketFinder(database);
  const insert = database.prepare(
    `INSERT INTO comments (ticket, author, authorKind, body, createdAt) VALUES (?, ?, ?, ?, ?)
     RETURNING author, authorKind, body, createdAt`,
  );
  return [
    {
      method: 'POST',
      path: '/api/v1/tickets/{id}/comments',
      async handle(context) {
        const { actor, response, tenant } = context;
        const id = Number(find(context)['id']);
        const text = textOf(await readJson(context.request), 'body');
        const comment = insert.get(id, actor.name, actor.kind, text, new Date().toISOString());
        live.publish(tenant, { type: 'comment.created', ticket: id, comment });
        sendJson(response, 201, comment);
      },
    },
  ];
}

function fileRoutes({ database }: TicketDeps): readonly Route[] {
  const find = ticketFinder(database);
  const insert = database.prepare(
    'INSERT INTO attachments (ticket, name, type, content) VALUES (?, ?, ?, ?) RETURNING id, name, type',
  );
  const get = database.prepare('SELECT name, type, content FROM attachments WHERE ticket = ? AND id = ?');
  return [
    {
      method: 'POST',
      path: '/api/v1/tickets/{id}/files/{name}',
      async handle(context) {
        const id = Number(find(context)['id']);
        const content = await readBytes(context.request, MAX_FILE_BYTES);
        const type = context.request.headers['content-type'] ?? 'application/octet-stream';
        const name = (context.params['name'] ?? '').replaceAll(/[^A-Za-z0-9._-]/g, '_');
        sendJson(context.response, 201, insert.get(id, name, type, content));
      },
    },
    {
      method: 'GET',
      path: '/api/v1/tickets/{id}/files/{file}',
      handle: (context) => {
        const file = get.get(Number(find(context)['id']), Number(context.params['file']));
        if (file === undefined) throw new HttpError(404, 'No such file.');
        context.response.writeHead(200, {
          'content-type': 'application/octet-stream',
          'content-disposition': `attachment; filename="${file['name']}"`,
          'x-content-type-options': 'nosniff',
        });
        context.response.end(file['content']);
      },
    },
  ];
}

function ticketFinder(database: DatabaseSync) {
  const find = database.prepare('SELECT * FROM tickets WHERE tenant = ? AND id = ?');
  return (context: ActorContext): Record<string, unknown> => {
    const id = Number(context.params['id']);
    const ticket = Number.isSafeInteger(id) ? find.get(context.tenant, id) : undefined;
    if (ticket === undefined) throw new HttpError(404, 'No such ticket.');
    return ticket;
  };
}
