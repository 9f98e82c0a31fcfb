// Where a command writes: data on standard output, talk on standard error.

/** Writes data. Resolves when it is handed over, so that nothing is lost at exit. */
export async function printData(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    process.stdout.write(text, (error) => (error ? reject(error) : resolve())),
  );
}

export function printTalk(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** True for a terminal whose user did not ask for plain text (https://no-color.org). */
export function hasColour(stream: { readonly isTTY?: boolean }): boolean {
  const { NO_COLOR = "", TERM } = process.env;
  return stream.isTTY === true && NO_COLOR === "" && TERM !== "dumb";
}

/** `sluice pc route -f . | head -1`: whoever reads has had enough, and that is no failure. */
export function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
}
