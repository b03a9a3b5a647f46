// A row of tokens.yaml and identities.yaml: a token written down as text, how it is signed and carried, and what must come of it.
import type { CorpusRow } from '../../support/corpus-cases.ts';

/** Header and claims are the very JSON text, so that what no library would write can be written: members twice, broken bytes. */
export interface TokenSpec {
  /** By default the header of a good token. */
  readonly header?: string;
  /** By default the claims of a good token. */
  readonly claims?: string;
  /** Claims of a good token with other values, or more of them: the JSON text of each. */
  readonly set?: Readonly<Record<string, string>>;
  readonly without?: readonly string[];
  /** Text after the first, or before the last, brace of the claims. */
  readonly prepend?: string;
  readonly append?: string;
  /** A name of `signatures.ts`; `es256`, the right key, by default. */
  readonly sign?: string;
  /** Names of `forms.ts`, done to the finished token one after the other. */
  readonly form?: string | readonly string[];
}

/** How a token is sent. */
interface Carriage {
  /** Header lines, raw; `<T>` is the token. `Authorization: Bearer <T>` by default. */
  readonly carry?: readonly string[];
  readonly line?: string;
  /** Whose host it goes to; `acme` by default. */
  readonly tenant?: string;
  readonly at?: 'data' | 'control';
  /** Which of the issuers' claims a good token has; `workforce` by default. */
  readonly issuer?: string;
}

export interface TokenRow extends CorpusRow, TokenSpec, Carriage {
  /** Sent first, in order: tokens that fill caches. Each must be forwarded unless it says otherwise. */
  readonly after?: readonly (TokenSpec & Carriage & { readonly expect?: string })[];
  /** `forwarded`, or a status and the reason: `401 credential_invalid`. */
  readonly expect: string;
  /** What the application must be told in the assertion; null: nothing. */
  readonly as?: Readonly<Record<string, string | null>>;
}
