#!/usr/bin/env node
// The one command line. `edge` is another program (apps/edge), started here so that both have one name; neither imports the other.
if (process.argv[2] === "edge") await import("@sluice/edge/main");
else await import("../dist/cli/main.js");
