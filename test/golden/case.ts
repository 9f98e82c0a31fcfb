// One golden case: its file, its input, and what its head comment asks for:
//
//   # print: modern/routes istio-1.0/listeners route-table diagnostics   (or: validation, which compiles nothing)
//   # labels: istio=ingressgateway
//   # namespace: istio-system
//   # locality: us/a
//   # engine: node
//   # alpn: http/1.1

export interface GoldenCase {
  /** The file, so that diagnostics name it and their lines are those of the case. */
  readonly file: string;
  readonly input: string;
  readonly expected: string;
  readonly settings: ReadonlyMap<string, string>;
}

const separator = /^-{5,}\n/m;

/** Splits a case at its first line of five dashes or more. */
export function readCase(file: string, text: string): GoldenCase {
  const [input = "", expected = ""] = text.split(separator, 2);
  const settings = new Map<string, string>();
  for (const line of input.split("\n")) {
    const [, key, value] = /^# (print|labels|namespace|locality|engine|alpn): (.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) settings.set(key, value.trim());
  }
  return { file, input, expected, settings };
}

export function formatCase({ input }: GoldenCase, expected: string): string {
  return `${input}----------\n${expected}`;
}
