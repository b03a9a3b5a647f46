// ETag and If-Match of what has a revision (RFC 9110 sections 8.8.3 and 13.1.1): the revision in quotes. If-Match is
// optional but where a route requires it (428); one that names another revision is answered 412, whether this was seen
// before the store was asked or by it. A handler does only what its route says of itself, and so the OpenAPI document.
// Assumes that the caller may read the thing: the refusal says its revision. Cold.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GrantRefusal } from '#model/grant-refusal.ts';
import { ControlProblem } from './control-problem.ts';

/** `"3"`. */
export function etagOf(revision: number): string {
  return `"${revision}"`;
}

/** Says the revision of what is being answered, and hands the body through. */
export function withEtag<T>(reply: FastifyReply, revision: number, body: T): T {
  if (reply.request.routeOptions.config.etag === undefined) throw undeclared();
  reply.header('etag', etagOf(revision));
  return body;
}

/**
 * Runs `change` with the revision that it must be made against: the one that If-Match names, undefined without one (or
 * with `*`). `current` is as just read. Throws ControlProblem `if_match_required` where the route requires one, and
 * `precondition_failed` when If-Match names others, also when the store refused the change as stale in the meantime.
 */
export async function underIfMatch<T>(
  request: FastifyRequest,
  current: number,
  change: (expectedRevision: number | undefined) => Promise<T>,
): Promise<T> {
  const { etag } = request.routeOptions.config;
  if (etag !== 'optional' && etag !== 'required') throw undeclared();
  const header = request.headers['if-match'];
  if (header === undefined && etag === 'required')
    throw new ControlProblem('if_match_required', 'Send If-Match with the ETag that it was read with.');
  if (header === undefined || header.trim() === '*') return change(undefined);
  // A weak tag never matches, and neither does what is no tag.
  if (!header.split(',').some((tag) => tag.trim() === etagOf(current))) throw failed(current);
  try {
    return await change(current);
  } catch (error) {
    if (error instanceof GrantRefusal && error.code === 'stale_revision') throw failed(null);
    throw error;
  }
}

function undeclared(): TypeError {
  return new TypeError('a route must say that what it answers has a revision');
}

function failed(current: number | null): ControlProblem {
  const now = current === null ? '' : `; it is now ${etagOf(current)}`;
  return new ControlProblem('precondition_failed', `Read it again and name the tag you were given${now}.`);
}
