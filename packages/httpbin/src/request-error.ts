// The one error a route throws on purpose: the client asked for something this backend refuses, with the status to say so.

/** Answered as JSON `{"error": {"status", "message"}}` by the dispatcher, together with `headers`. */
export class RequestError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "RequestError";
    this.status = status;
    this.headers = headers;
  }
}
