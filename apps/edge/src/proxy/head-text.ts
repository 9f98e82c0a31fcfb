// A request head as the text it is sent as: fields are found, added and taken out by their place in it, so that only routes which change
// headers pay for changing them. Names are in lower case and values hold no line end, hence `\r\n<name>: ` occurs where a field begins and
// nowhere else.

/** What a field of this name begins with. Made once a name. */
export function fieldStart(name: string): string {
  return `\r\n${name}: `;
}

/** The first field's value, or null. */
export function findField(head: string, start: string): string | null {
  const at = head.indexOf(start);
  return at < 0 ? null : head.slice(at + start.length, head.indexOf("\r\n", at + start.length));
}

export function removeField(head: string, start: string): string {
  let result = head;
  for (let at = result.indexOf(start); at >= 0; at = result.indexOf(start, at)) {
    result = result.slice(0, at) + result.slice(result.indexOf("\r\n", at + start.length));
  }
  return result;
}

/** @param lines each with its line end */
export function appendLines(head: string, lines: string): string {
  return `${head.slice(0, -2)}${lines}\r\n`;
}

/** Method, target and host of a head, which always begins with them. */
export function startOf(head: string): { method: string; target: string; host: string; length: number } {
  const lineEnd = head.indexOf("\r\n");
  const hostEnd = head.indexOf("\r\n", lineEnd + 2);
  const space = head.indexOf(" ");
  return {
    method: head.slice(0, space),
    target: head.slice(space + 1, head.lastIndexOf(" ", lineEnd)),
    host: head.slice(lineEnd + 2 + "host: ".length, hostEnd),
    length: hostEnd + 2,
  };
}
