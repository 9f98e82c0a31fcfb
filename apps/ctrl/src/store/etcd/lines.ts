// A stream's bytes as lines, each of bounded length.

/** A watch tells of one small key. */
const maxLineBytes = 1024 * 1024;

/** Every line that is ended. @throws Error when one is too long */
export async function* readLines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      yield rest.subarray(0, end).toString("utf8");
      rest = rest.subarray(end + 1);
    }
    if (rest.length > maxLineBytes) throw new Error(`a line of more than ${maxLineBytes} bytes`);
  }
}
