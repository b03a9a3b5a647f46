// A process of its own that uses the subjects' store of a directory: told what to do by its arguments.
import { openSubjectStore } from '#audit/subjects/sqlite-subject-store.ts';

const [, , directory = '', action = '', argument = ''] = process.argv;
const store = openSubjectStore({ directory });

/** A hundred people, the same in every process. */
function seeHundred(): readonly string[] {
  return Array.from({ length: 100 }, (_, index) => {
    const id = `person-${index}`;
    return store.of({ kind: 'principal', id, issuer: argument, org: null, email: null, name: null }).id;
  });
}

if (action === 'see') process.stdout.write(JSON.stringify(seeHundred()));
if (action === 'erase') process.stdout.write(JSON.stringify(store.erase(argument, Date.now())));
store.close();
