// `sluice validate`: everything that is wrong with a configuration, at once.
import { Command, Option } from "commander";
import { countFindings } from "../../store/finding-counts.ts";
import { CommandFailure, exitConfigurationErrors } from "../failure.ts";
import { readOffline } from "../offline.ts";
import { fileOption } from "../options.ts";
import { renderCounts, renderDiagnostic, toPlainDiagnostic } from "../render-diagnostics.ts";
import { hasColour, printData, printTalk } from "../terminal.ts";

const examples = `
Examples:
  sluice validate -f config/
  sluice validate -f gateway.yaml -f shop.yaml -o json
  helm template . | sluice validate -f -

Exit status: 0 fine (warnings included), 1 errors, 2 wrong usage or unreadable input.`;

interface ValidateOptions {
  readonly file: readonly string[];
  readonly output: "text" | "json";
  readonly namespace: string;
}

export function validateCommand(): Command {
  return new Command("validate")
    .description("check configuration files; no server needed")
    .addOption(fileOption().makeOptionMandatory())
    .addOption(new Option("-o, --output <format>", "how to print").choices(["text", "json"]).default("text"))
    .option("--namespace <name>", "namespace of documents that name none", "default")
    .addHelpText("after", examples)
    .action(validate);
}

async function validate({ file, output, namespace }: ValidateOptions): Promise<void> {
  const { diagnostics } = await readOffline({ paths: file, defaultNamespace: namespace });
  const counts = countFindings(diagnostics);
  const isValid = counts.errors === 0;
  if (output === "json") {
    await printData(
      `${JSON.stringify({ valid: isValid, diagnostics: diagnostics.map(toPlainDiagnostic) }, null, 2)}\n`,
    );
  } else {
    await printData(
      diagnostics.map((diagnostic) => `${renderDiagnostic(diagnostic, hasColour(process.stdout))}\n`).join(""),
    );
    printTalk(`${isValid ? "valid" : "invalid"}: ${renderCounts(counts)}`);
  }
  if (!isValid) throw new CommandFailure(exitConfigurationErrors, "");
}
