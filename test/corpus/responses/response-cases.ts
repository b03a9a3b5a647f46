// The rows of `responses.yaml`: what a hostile application sends, and what its client must see of it. Data only; a case
// that says nothing of its own takes its row's `answer`, `request`, `after` and `expect`.
import { type CorpusRow, fillIn } from '../../support/corpus-cases.ts';

/** Either `broken` or a status. */
export interface ExpectedResponse {
  /** 502 upstream_bad_response while no head was sent, else a reset. */
  readonly broken?: boolean;
  readonly status?: number;
  readonly reason?: string;
  /** Stands in what the client received. */
  readonly contains?: string;
  /** Names, in lower case, that the client must not see. */
  readonly absent?: readonly string[];
  /** How many interim responses the client sees. */
  readonly interim?: number;
  /** Whether the gate gives the connection to the application up; asked only where the case says so. */
  readonly destroyed?: boolean;
  /** The gate closes the client's connection by itself. */
  readonly closes?: boolean;
}

interface Part {
  /** What the application sends once it has the head of the request. */
  readonly answer?: string;
  /** The request, for the placeholders of `corpus-cases.ts`; its target is `/answered`. */
  readonly request?: string;
  /** What the application does next. */
  readonly after?: 'end' | 'reset';
  /** Sent once the client has its answer and the connection rests. */
  readonly later?: string;
  readonly expect?: ExpectedResponse;
}

interface ResponseRow extends CorpusRow, Part {
  readonly cases: readonly (string | (Part & { readonly bytes?: string }))[];
}

export interface ResponseCase {
  readonly id: string;
  readonly answer: string;
  readonly request: string;
  readonly after: 'end' | 'reset' | null;
  readonly later: string;
  readonly expect: ExpectedResponse;
}

const REQUEST = 'GET /answered HTTP/1.1\r\n<HEAD>\r\n\r\n';

export function responseCases(rows: readonly CorpusRow[]): readonly ResponseCase[] {
  return (rows as readonly ResponseRow[]).flatMap((row) =>
    row.cases.map((item, index) => {
      const own = typeof item === 'string' ? { bytes: item } : item;
      const id = `${row.id}.${index + 1}`;
      const answer = own.bytes ?? own.answer ?? row.answer;
      const expect = own.expect ?? row.expect;
      if (answer === undefined || expect === undefined) throw new Error(`${id} says too little`);
      return {
        id,
        answer: fillIn(answer, '', ''),
        request: own.request ?? row.request ?? REQUEST,
        after: own.after ?? row.after ?? null,
        later: fillIn(own.later ?? row.later ?? '', '', ''),
        expect,
      };
    }),
  );
}
