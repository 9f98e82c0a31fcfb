// curl, as a user runs it.
import { execFile } from "node:child_process";

export interface CurlResult {
  /** curl's exit status, 0 when a response was read. */
  readonly code: number;
  readonly status: number;
  /** Of the last response, names in lower case as the server sent them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Header lines of all responses, raw. */
  readonly rawHead: string;
  readonly body: string;
  readonly stderr: string;
}

/** Runs curl with `-sS -i` and these arguments. Never rejects: a refused connection is a result. */
export function curl(...args: readonly string[]): Promise<CurlResult> {
  return new Promise((resolve) => {
    const options = { encoding: "latin1", maxBuffer: 64 * 1024 * 1024, timeout: 30_000 } as const;
    execFile("curl", ["-sS", "-i", "--max-time", "20", ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, stderr, ...parseResponses(stdout) });
    });
  });
}

function parseResponses(output: string): Pick<CurlResult, "status" | "headers" | "rawHead" | "body"> {
  let rest = output;
  let rawHead = "";
  let last = "";
  while (rest.startsWith("HTTP/")) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) break;
    last = rest.slice(0, end);
    rawHead += `${last}\r\n\r\n`;
    rest = rest.slice(end + 4);
  }
  const [statusLine = "", ...lines] = last.split("\r\n");
  const headers = lines.map(
    (line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const,
  );
  return { status: Number(statusLine.split(" ")[1] ?? 0), headers: Object.fromEntries(headers), rawHead, body: rest };
}
