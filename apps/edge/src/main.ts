// The edge's program: `sluice edge`. The first process is the primary; the processes it forks are workers and take the other branch.
import cluster from "node:cluster";

if (cluster.isPrimary) await import("./primary/main.ts");
else await import("./worker/main.ts");
