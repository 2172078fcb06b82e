/** A request that is refused; becomes `{"errors":[…]}` with the status. */
export class HttpError extends Error {
  readonly status: number;
  /** Headers of the answer, beside those that every answer has. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Flink's words for a part of the URL that does not mean anything. */
export function badParameter(kind: 'path' | 'query', name: string, value: string): HttpError {
  return new HttpError(
    400,
    `Bad request, could not parse parameters: Cannot resolve ${kind} parameter (${name}) from value "${value}".`,
  );
}
