// What a connection has ready: the statements of grants by name, every other one by its text, prepared at first use and
// once. Texts are constants of the files beside this one; values are always bound, never written into a text. Cold.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type GrantStatements, prepareGrantStatements } from './grant-statements.ts';

export interface Statements extends GrantStatements {
  /** The statement of this text; takes a set of values larger than it names. */
  sql(text: string): StatementSync;
}

export function prepareStatements(db: DatabaseSync): Statements {
  const known = new Map<string, StatementSync>();
  return {
    ...prepareGrantStatements(db),
    sql(text) {
      const found = known.get(text);
      if (found !== undefined) return found;
      const statement = db.prepare(text);
      statement.setAllowUnknownNamedParameters(true);
      known.set(text, statement);
      return statement;
    },
  };
}
