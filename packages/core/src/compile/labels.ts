// Label selectors as Gateways and Services use them: equality only.

/** True when every label of the selector is among the labels. An empty selector selects everything. */
export function selects(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([name, value]) => labelOf(labels, name) === value);
}

/** The value of a label. Names are anybody's: `constructor` is one like others, and not there unless it is. */
export function labelOf(labels: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}
