// The seal on launch tokens and cookies: its key is the store's, so that every process of it knows what any of them made.
// Guarantees: read once, by one reading at a time however many ask; synchronous from then on. Whoever has no credential may
// ask, so nothing here repeats itself per question. Warm.
import { createSecretSeal, type SecretSeal } from '#model/secret-hash.ts';
import type { SessionStore } from './session-store.ts';

export interface SessionSeal {
  /** Rejects with STORE_UNAVAILABLE until the key was read. */
  get(): SecretSeal | Promise<SecretSeal>;
  /** The store may be another one now: the key is read again when it is needed. */
  forget(): void;
}

export function createSessionSeal(store: Pick<SessionStore, 'sealKey'>): SessionSeal {
  let known: SecretSeal | null = null;
  let reading: Promise<SecretSeal> | null = null;

  async function read(): Promise<SecretSeal> {
    const mine = (async () => createSecretSeal(await store.sealKey()))();
    reading = mine;
    try {
      const seal = await mine;
      // Forgotten meanwhile: good for who asked, and not to be kept.
      if (reading === mine) known = seal;
      return seal;
    } finally {
      if (reading === mine) reading = null;
    }
  }

  return {
    get: () => known ?? reading ?? read(),
    forget() {
      known = null;
      reading = null;
    },
  };
}
