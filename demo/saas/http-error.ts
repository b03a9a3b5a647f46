// The one way a route of the help desk refuses: thrown anywhere below the router, answered once by the server.

export class HttpError extends Error {
  readonly status: number;

  /** `message` is shown to the caller. */
  constructor(status: number, message: string) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
  }
}
