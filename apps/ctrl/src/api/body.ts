// Request bodies: bytes of the few types that the API takes.
//
// None of the types is one that a web page may send to another origin without asking first (text/plain, forms), so that a page in a browser on
// this machine cannot push to a ctrl on loopback that asks for no credentials.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { decodeText, isText } from "../source/read-text.ts";
import { ProblemError } from "./problem.ts";

export const configurationTypes = [
  "application/yaml",
  "application/x-yaml",
  "text/yaml",
  "text/x-yaml",
  "application/json",
];
const jsonType = "application/json";

/** What diagnostics call the body. */
const bodyName = "body";

/** Configuration as it was sent. */
export interface ConfigurationBody {
  readonly file: string;
  readonly text: string;
}

/** Takes bodies of these types as bytes, and no others. */
export function acceptBodies(api: FastifyInstance): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser(configurationTypes, { parseAs: "buffer" }, (_request, body, done) => done(null, body));
}

/** @throws ProblemError 400 for bytes that are no UTF-8, 415 for a body that is compressed or missing its type */
export function readConfigurationBody(request: FastifyRequest): ConfigurationBody {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") throw new ProblemError(415, `content-encoding ${encoding} is not understood`);
  if (!Buffer.isBuffer(request.body)) {
    throw new ProblemError(415, `the body must be one of ${configurationTypes.join(", ")}`);
  }
  const read = decodeText(bodyName, request.body, Number.MAX_SAFE_INTEGER);
  if (!isText(read)) throw new ProblemError(400, `the body ${read.message}`);
  return read;
}

/** @throws ProblemError 400 or 415 */
export function readJsonBody(request: FastifyRequest): unknown {
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== jsonType) throw new ProblemError(415, `the body must be ${jsonType}`);
  const { text } = readConfigurationBody(request);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ProblemError(400, "the body is no JSON");
  }
}
