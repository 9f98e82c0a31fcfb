// The processes directly below one: the workers of nginx and HAProxy.
import { processTree } from "../processes.ts";

export function childPids(pid: number): readonly number[] {
  return processTree(pid).slice(1);
}
