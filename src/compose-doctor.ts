// What `postern doctor` asks of rooms that the command line does not know: an issuer's keys, the store's file, id and
// algorithm of the assertion's key. Guarantees: nothing is opened for writing, watched or kept. Cold.
import { DatabaseSync } from 'node:sqlite';
import { importKeys } from '#authn/key-ring.ts';
import { createKeySource } from '#authn/key-source.ts';
import { checkIssuer, type IssuerOptions } from '#authn/options.ts';
import { systemClock } from '#model/clock.ts';
import { type AssertionKey, importAssertionKey } from '#upstream/assertion-key.ts';

const TIMEOUT_MS = 5000;

export const doctorRooms = {
  async keysOf(given: IssuerOptions): Promise<number> {
    const issuer = checkIssuer(given);
    const document = await createKeySource(issuer, systemClock).load(AbortSignal.timeout(TIMEOUT_MS));
    return (await importKeys(document, issuer.algorithms)).length;
  },
  storeVersion(path: string): number {
    const db = new DatabaseSync(path, { readOnly: true, timeout: TIMEOUT_MS });
    try {
      return Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    } finally {
      db.close();
    }
  },
  async assertionKey(pem: string): Promise<Pick<AssertionKey, 'kid' | 'alg'>> {
    const { kid, alg } = await importAssertionKey(pem);
    return { kid, alg };
  },
};
