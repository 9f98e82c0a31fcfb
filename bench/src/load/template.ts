// Configurations of peers are files in bench/peers; what depends on the run is filled in.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const peers = fileURLToPath(new URL("../../peers/", import.meta.url));

/** Replaces every `{{name}}`. Throws on a name without a value and on a value without a place: either is a mistake in a configuration. */
export function fillIn(text: string, values: Readonly<Record<string, string | number>>): string {
  const used = new Set<string>();
  const filled = text.replaceAll(/\{\{(\w+)\}\}/g, (_place, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for {{${name}}}`);
    used.add(name);
    return String(value);
  });
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`no place for ${unused.join(", ")}`);
  return filled;
}

/** Fills in a file of bench/peers and writes it into a directory. Returns its path. */
export async function writePeerFile(
  directory: string,
  name: string,
  values: Readonly<Record<string, string | number>>,
): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, fillIn(await readFile(join(peers, name), "utf8"), values));
  return path;
}
