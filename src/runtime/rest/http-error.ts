/** A request that is refused; becomes `{"errors":[…]}` with the status. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
