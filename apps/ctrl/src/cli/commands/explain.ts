// `sluice explain`: where a request would go, and why.
import { readFile } from "node:fs/promises";
import { type Explanation, explain, type Question, renderExplanation } from "@sluice/core";
import { Command, Option } from "commander";
import { describeSystemError } from "../../source/file-problem.ts";
import type { CtrlOptions } from "../ctrl-client.ts";
import { addCredentialOptions, toClient } from "../ctrl-options.ts";
import { usageFailure } from "../failure.ts";
import { compileOffline } from "../offline.ts";
import {
  chooseInput,
  ctrlOption,
  fileOption,
  type InputOptions,
  labelsOption,
  parseHeader,
  parsePort,
} from "../options.ts";
import { printData } from "../terminal.ts";

const examples = `
Examples:
  sluice explain -f config/ --port 80 --host shop.example.com --path /cart
  sluice explain -f config/ --port 443 --host shop.example.com --sni shop.example.com -H 'x-canary: 1'
  sluice explain --ctrl http://127.0.0.1:15010 --port 443 --host a.example --sni a.example --client-cert client.crt

Exit status: 0 when the question could be answered, whatever the answer; 1 the configuration has errors, 2 wrong usage or unreadable input.`;

interface ExplainOptions extends InputOptions, Omit<CtrlOptions, "ctrl"> {
  readonly port: number;
  readonly host: string;
  readonly scheme?: Question["scheme"];
  readonly sni?: string;
  readonly path: string;
  readonly method: string;
  readonly header?: readonly (readonly [string, string])[];
  readonly clientCert?: string;
  readonly output: "text" | "json";
}

export function explainCommand(): Command {
  return addCredentialOptions(
    new Command("explain")
      .description("tell where a request would go, and why")
      .addOption(fileOption())
      .addOption(ctrlOption())
      .addOption(labelsOption())
      .requiredOption("--port <number>", "port of the listener, as `pc listener` prints it", parsePort)
      .requiredOption("--host <host>", "Host header, with or without port")
      .addOption(
        new Option("--scheme <scheme>", "(default: https with --sni, else http)").choices(["http", "https", "tcp"]),
      )
      .option("--sni <name>", "server name the client asks for in its TLS handshake")
      .option("--path <path>", "path, with query if any", "/")
      .option("--method <method>", "request method", "GET")
      .option("-H, --header <name: value>", "request header (repeatable)", parseHeader)
      .option("--client-cert <file>", "PEM certificate the client presents")
      .addOption(new Option("-o, --output <format>", "how to print").choices(["text", "json"]).default("text")),
  )
    .addHelpText("after", examples)
    .action(explainRequest);
}

async function explainRequest(options: ExplainOptions, command: Command): Promise<void> {
  const input = chooseInput(command, options);
  const question = await toQuestion(options);
  const explanation =
    input.kind === "files"
      ? explain(await compileOffline({ paths: input.paths, labels: options.labels }), {
          ...question,
          nowMs: Date.now(),
        })
      : await ask({ ...options, ctrl: input.url }, question);
  const text = options.output === "json" ? `${JSON.stringify(explanation, null, 2)}\n` : renderExplanation(explanation);
  await printData(text);
}

async function ask(options: CtrlOptions, question: Question): Promise<Explanation> {
  const client = await toClient(options);
  return (await client.ask("/v1/explain", { method: "POST", body: JSON.stringify(question) })) as Explanation;
}

async function toQuestion(options: ExplainOptions): Promise<Question> {
  const { port, host, scheme, sni = null, path, method, header: headers = [], clientCert } = options;
  return {
    port,
    host,
    scheme: scheme ?? (sni === null ? "http" : "https"),
    sni,
    path,
    method,
    headers,
    clientCertificate: clientCert === undefined ? null : await readPem(clientCert),
  };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw usageFailure(`error: --client-cert ${path} cannot be read: ${describeSystemError(error)}`);
  }
}
