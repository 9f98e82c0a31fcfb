// What the last response's head became on the wire. Answers of one upstream often have the same fields with the same values, for as long as
// their date does not change: they are the same strings then, and a head is known by looking at references.

export class LastHead<Made> {
  private status: number;
  private headers: readonly string[];
  private made: Made | null;

  constructor() {
    this.status = 0;
    this.headers = [];
    this.made = null;
  }

  /** What was made of the same status and headers last time; null when they are others. */
  find(status: number, headers: readonly string[]): Made | null {
    const last = this.headers;
    if (status !== this.status || headers.length !== last.length) return null;
    for (let i = 0; i < headers.length; i++) if (headers[i] !== last[i]) return null;
    return this.made;
  }

  /** @param headers not to be changed any more */
  keep(status: number, headers: readonly string[], made: Made): Made {
    this.status = status;
    this.headers = headers;
    this.made = made;
    return made;
  }
}
