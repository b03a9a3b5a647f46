// Answers of the recording upstream that say which of its requests they are for, so that an answer at the wrong client
// is seen, and the tag by which a forwarded request says which case it came from.
import type { RecordedRequest, Respond } from '../support/recording-upstream.ts';

/** In lower case; in each answer of the application, its number among the recorded requests from 0. */
export const SERIAL_HEADER = 'x-corpus-serial';

/** In lower case; put into each generated request's head. */
export const CASE_HEADER = 'x-corpus-case';

/** 200 with a small JSON body; for one recorder, since it counts. */
export function answerWithSerial(): Respond {
  let serial = 0;
  return (request, socket) => {
    const body = request.method === 'HEAD' ? '' : '{"ok":true}';
    socket.write(
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n' +
        `X-Corpus-Serial: ${serial}\r\n\r\n${body}`,
    );
    serial += 1;
  };
}

/** The bytes with the case's id in every head that `<HEAD>` stands for. */
export function tagged(bytes: string, id: string): string {
  return bytes.replaceAll('<HEAD>', `Host: <HOST>\r\nX-Corpus-Case: ${id}\r\nAuthorization: Bearer <TOKEN>`);
}

/** The case that a recorded request says it came from; null when it says nothing. */
export function caseOf({ headers }: RecordedRequest): string | null {
  return headers.find(([name]) => name.toLowerCase() === CASE_HEADER)?.[1] ?? null;
}
