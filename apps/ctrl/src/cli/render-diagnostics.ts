// Diagnostics as people read them, one a line: `shop.yaml:14:11 error unknown-host spec.hosts[0]: ... Did you mean ...?`
import type { Diagnostic, Severity } from "@sluice/core/model";

const colours: Record<Severity, string> = { error: "\u001b[31m", warning: "\u001b[33m" };
const bold = "\u001b[1m";
const plain = "\u001b[0m";

/** One line, without its end. Colours are for terminals. */
export function renderDiagnostic(diagnostic: Diagnostic, hasColour: boolean): string {
  const { file, line, column, severity, code, path } = diagnostic;
  const paint = (colour: string, text: string) => (hasColour ? `${colour}${text}${plain}` : text);
  const place = paint(bold, escapeControls(`${file}:${line}:${column}`));
  const rule = [code, path].filter((part) => part !== "").join(" ");
  return `${place} ${paint(colours[severity], severity)} ${escapeControls(`${rule}: ${describeFinding(diagnostic)}`)}`;
}

/** Message and hint as sentences. */
export function describeFinding({ message, hint }: Pick<Diagnostic, "message" | "hint">): string {
  if (hint === undefined) return message;
  return /[.?!]$/.test(message) ? `${message} ${hint}` : `${message}. ${hint}`;
}

/** `2 errors, 1 warning`. */
export function renderCounts({ errors, warnings }: { readonly errors: number; readonly warnings: number }): string {
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  return `${count(errors, "error")}, ${count(warnings, "warning")}`;
}

/** The keys of CONTRACT's `D`, in its order. */
export function toPlainDiagnostic(diagnostic: Diagnostic): Diagnostic {
  const { severity, code, message, hint, file, line, column, path, resource } = diagnostic;
  return { severity, code, message, ...(hint === undefined ? {} : { hint }), file, line, column, path, resource };
}

/** Configuration is quoted in messages, and must not talk to the terminal. */
export function escapeControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
