// Options that several commands take, and how their values are read.
import { hasConfigExtension } from "../source/file-names.ts";
import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { usageFailure } from "./failure.ts";

export function fileOption(): Option {
  return new Option("-f, --file <path...>", "configuration: files, directories, - for standard input (repeatable)");
}

export function ctrlOption(): Option {
  return new Option("--ctrl <url>", "ask a running control plane instead of reading files").env("SLUICE_CTRL");
}

export function configOption(): Option {
  return new Option("--config <file>", "settings (default: ./sluice.yaml if it exists)").env("SLUICE_CONFIG");
}

export function labelsOption(): Option {
  return new Option(
    "--labels <k=v,...>",
    "labels of the gateway, which spec.selector is matched against (default: istio=ingressgateway)",
  ).argParser(parseLabels);
}

/** `istio=ingressgateway,tier=edge`. */
function parseLabels(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(",").filter((pair) => pair !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf("=");
      if (equals <= 0) throw new InvalidArgumentError(`"${pair}" is no label such as istio=ingressgateway.`);
      return [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
    }),
  );
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a number from 1 to 65535.");
}

/** `k: v`, collected. */
export function parseHeader(
  text: string,
  previous: readonly (readonly [string, string])[] = [],
): (readonly [string, string])[] {
  const colon = text.indexOf(":", 1);
  if (colon < 0) throw new InvalidArgumentError(`Write it as "name: value".`);
  return [...previous, [text.slice(0, colon).trim(), text.slice(colon + 1).trim()]];
}

/** Where a command's configuration comes from. */
export type Input =
  | { readonly kind: "files"; readonly paths: readonly string[] }
  | { readonly kind: "ctrl"; readonly url: string };

export interface InputOptions {
  readonly file?: readonly string[];
  readonly ctrl?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** `-f` or `--ctrl`, one of them. SLUICE_CTRL gives way to `-f`. Throws for anything else. */
export function chooseInput(command: Command, { file, ctrl, labels }: InputOptions): Input {
  const isCtrlWritten = command.getOptionValueSource("ctrl") === "cli";
  if (file !== undefined) {
    if (isCtrlWritten) throw usageFailure("error: give either -f or --ctrl, not both");
    return { kind: "files", paths: file };
  }
  if (ctrl === undefined)
    throw usageFailure("error: say where the configuration is: -f PATH, or --ctrl URL for a running control plane");
  if (labels !== undefined)
    throw usageFailure("error: --labels is for -f; a running gateway has its own (node.labels in its sluice.yaml)");
  return { kind: "ctrl", url: ctrl };
}

/**
 * `-f a.yaml b.yaml` takes both, so that shell patterns work, and then swallows the NAME of `-f config http.80` too. What follows a path
 * and neither exists nor is called like a file is that NAME.
 */
export function recoverName<Options extends InputOptions>(
  name: string | undefined,
  options: Options,
): { name: string | undefined; options: Options } {
  const last = options.file?.at(-1);
  if (name !== undefined || options.file === undefined || last === undefined || options.file.length < 2)
    return { name, options };
  if (last === "-" || hasConfigExtension(last) || existsSync(last)) return { name, options };
  return { name: last, options: { ...options, file: options.file.slice(0, -1) } };
}
