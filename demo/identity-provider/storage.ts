// What the identity provider remembers (sessions, codes, grants), in this process, for as long as the demo runs.
// Implements the adapter contract of oidc-provider; entries vanish at their expiry or with the process.

type Payload = Record<string, unknown> & { consumed?: number; grantId?: string; uid?: string };

interface Entry {
  readonly payload: Payload;
  readonly expiresAt: number;
}

/** One factory per provider: `createStorage()` is handed over as `adapter` and called once for each model. */
export function createStorage(): (model: string) => object {
  const entries = new Map<string, Entry>();

  function find(key: string): Payload | undefined {
    const entry = entries.get(key);
    if (entry !== undefined && entry.expiresAt > Date.now()) return entry.payload;
    entries.delete(key);
    return undefined;
  }

  return (model) => ({
    upsert: async (id: string, payload: Payload, expiresInSeconds?: number) => {
      const expiresAt =
        expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresInSeconds * 1000;
      entries.set(`${model}:${id}`, { payload, expiresAt });
    },
    find: async (id: string) => find(`${model}:${id}`),
    findByUid: async (uid: string) => {
      for (const [key, { payload }] of entries) {
        if (key.startsWith(`${model}:`) && payload.uid === uid) return find(key);
      }
      return undefined;
    },
    findByUserCode: async () => undefined,
    consume: async (id: string) => {
      const payload = find(`${model}:${id}`);
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    },
    destroy: async (id: string) => {
      entries.delete(`${model}:${id}`);
    },
    revokeByGrantId: async (grantId: string) => {
      for (const [key, { payload }] of entries) if (payload.grantId === grantId) entries.delete(key);
    },
  });
}
