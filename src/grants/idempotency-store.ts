// The contract of what remembers calls that carry a key: each (caller, key) is carried out once, whoever repeats it and
// however often, for 24 hours. Assumes that the caller is authenticated and that `caller`, `key` and `requestHash` are
// bounded texts without personal values. Throws STORE_UNAVAILABLE when it cannot find out: nothing is carried out then.

/** How an answer is kept: as it was sent. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface KeyedCall {
  readonly caller: string;
  readonly key: string;
  /** Of method, target and body. */
  readonly requestHash: string;
}

/** The right to carry the call out, until it is settled or another process has taken it over. */
export interface Claim {
  readonly caller: string;
  readonly key: string;
  /** Of this claim alone: what no longer stands in the store has lost its right. */
  readonly token: string;
}

export type ClaimAnswer =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  | { readonly kind: 'answered'; readonly answer: KeptAnswer }
  /** It took effect; what was answered is not kept. */
  | { readonly kind: 'not_kept' }
  | { readonly kind: 'under_way' }
  /** The key was used for another call. */
  | { readonly kind: 'other_call' };

export interface IdempotencyStore {
  claim(call: KeyedCall): Promise<ClaimAnswer>;
  /** Runs `work`; whatever it commits to the store, at once or later, is done under this claim and marks it. */
  under(claim: Claim, work: () => void): void;
  /**
   * The end of the call. With an answer it is kept; `done` keeps only that it took effect; `refused` frees the key, unless
   * something was committed under it after all.
   */
  settle(claim: Claim, result: KeptAnswer | 'done' | 'refused'): Promise<void>;
}
