// The two ways in which a call of the control API fails for a command: it could not be asked, or the gateway said no.
// Both end as one sentence and an exit code. Not hot.

/** The sentence says why. Exit code 2. */
export class CouldNotAsk extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CouldNotAsk';
  }
}

/** The gateway's problem, as far as it could be read. */
export class Refused extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, sentence: string) {
    super(sentence);
    this.name = 'Refused';
    this.status = status;
    this.type = type;
  }
}
