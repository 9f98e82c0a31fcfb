// One piece of work at a time, in the order of asking.

export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Does the work when everything asked for before is done, whether it failed or not. Settles as the work does. */
  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return await result;
  }

  /** Resolves when everything asked for so far is done. */
  async done(): Promise<void> {
    await this.#last;
  }
}
