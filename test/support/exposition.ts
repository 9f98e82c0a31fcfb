// Prometheus' text format, read strictly: whatever a scraper could stumble over is a problem.

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/;
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/gy;

export class Exposition {
  readonly text: string;
  readonly samples: readonly Sample[];
  /** What is wrong with it; empty when nothing is. */
  readonly problems: readonly string[];

  constructor(text: string, samples: readonly Sample[], problems: readonly string[]) {
    this.text = text;
    this.samples = samples;
    this.problems = problems;
  }

  /** Every series by name and labels, in order. */
  get series(): string[] {
    return this.samples.map(keyOf).toSorted((a, b) => (a < b ? -1 : 1));
  }

  select(name: string, labels: Readonly<Record<string, string>>): Sample[] {
    const wanted = Object.entries(labels);
    return this.samples.filter(
      (sample) => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value),
    );
  }

  sum(name: string, labels: Readonly<Record<string, string>>): number {
    return this.select(name, labels).reduce((sum, { value }) => sum + value, 0);
  }
}

export function readExposition(text: string): Exposition {
  const samples: Sample[] = [];
  const problems: string[] = [];
  const types = new Map<string, string>();
  if (!text.endsWith("\n")) problems.push("the last line has no end");
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, kind, name = "", rest = ""] = comment.exec(line) ?? [];
    if (kind === "TYPE") {
      if (types.has(name)) problems.push(`two types: ${line}`);
      types.set(name, rest);
    }
    if (kind !== undefined) continue;
    const sample = readSample(line);
    if (sample === null) problems.push(`no sample: ${line}`);
    else if (!isDescribed(sample, types)) problems.push(`before its TYPE: ${line}`);
    else samples.push(sample);
  }
  return new Exposition(text, samples, [...problems, ...repeated(samples), ...brokenHistograms(samples, types)]);
}

function readSample(line: string): Sample | null {
  const [, name, labelText = "", value = ""] = sampleLine.exec(line) ?? [];
  if (name === undefined) return null;
  const pairs = [...labelText.matchAll(label)];
  if (pairs.reduce((length, [pair]) => length + pair.length, 0) !== labelText.length) return null;
  const labels = Object.fromEntries(pairs.map(([, key = "", text = ""]) => [key, text]));
  if (Object.keys(labels).length !== pairs.length) return null;
  return { name, labels, value: Number(value.replace("Inf", "Infinity")) };
}

function isDescribed({ name }: Sample, types: ReadonlyMap<string, string>): boolean {
  return types.has(name) || types.get(name.replace(/_(bucket|sum|count)$/, "")) === "histogram";
}

function keyOf({ name, labels }: Sample): string {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${name}{${pairs.map(([key, value]) => `${key}="${value}"`).join(",")}}`;
}

function repeated(samples: readonly Sample[]): string[] {
  const keys = samples.map(keyOf);
  return keys.length === new Set(keys).size ? [] : ["a series is there twice"];
}

/** Buckets must not fall, and the last must be the count. */
function brokenHistograms(samples: readonly Sample[], types: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  for (const [name, type] of types) {
    if (type === "counter" && !name.endsWith("_total")) problems.push(`a counter without _total: ${name}`);
    if (type !== "histogram") continue;
    const last = new Map<string, number>();
    for (const { name: sampleName, labels, value } of samples) {
      if (sampleName !== `${name}_bucket`) continue;
      const { le: _, ...rest } = labels;
      const key = keyOf({ name, labels: rest, value });
      if (value < (last.get(key) ?? 0)) problems.push(`buckets fall: ${key}`);
      last.set(key, value);
    }
    for (const { name: sampleName, labels, value } of samples) {
      if (sampleName === `${name}_count` && last.get(keyOf({ name, labels, value })) !== value)
        problems.push(`count and last bucket differ: ${name}`);
    }
  }
  return problems;
}
