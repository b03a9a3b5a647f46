// What `postern doctor` asks of rooms that the command line does not know; compose answers. Types only. Cold.
// Whoever answers guarantees that nothing is written, watched or kept, and that no message quotes a key or an address.
import type { CustomerIssuer, SupportIssuer } from '#config/config.ts';
import type { KnownKey } from './doctor-forgery.ts';

export interface DoctorRooms {
  /** How many usable keys the issuer has, asked for once as the gate would. Rejects with KEYS_UNAVAILABLE: no address in it. */
  keysOf(issuer: SupportIssuer | CustomerIssuer): Promise<number>;
  /** The schema version of the store's file, which is only read. Throws what the file system or SQLite says. */
  storeVersion(path: string): number;
  /** Under which id and with which algorithm the gate signs. */
  assertionKey(pem: string): Promise<KnownKey>;
}
