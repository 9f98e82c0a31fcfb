// What is measured: a contender is a running proxy in front of the backend, made for a site and reached through doors.
import type { KeyAlgorithm } from "@sluice/demo/certificates";
import type { Machine } from "./machine.ts";
import type { Processes, Started } from "./processes.ts";

/** What a contender has to be for a scenario. */
export interface Site {
  /** Hosts `host-0.bench.example` and so on, each with its routes. */
  readonly hosts: number;
  /** Routes of each host: one for every path, or as many of `/route-0/` and so on. */
  readonly routes: number;
  readonly workers: number;
  readonly hasAccessLog: boolean;
  readonly key: KeyAlgorithm;
  /** What it stands in front of: HTTP answers, or the echo of WebSocket messages. */
  readonly upstream: "answers" | "echo";
}

/** Most scenarios' site. */
export const simpleSite: Site = {
  hosts: 1,
  routes: 1,
  workers: 1,
  hasAccessLog: false,
  key: "ecdsa-p256",
  upstream: "answers",
};

/** Sites of many hosts or routes have the plain door only: what they cost is asked, not what doors cost. */
export function hasAllDoors(site: Site): boolean {
  return site.hosts === 1 && site.routes === 1;
}

/** How a contender is entered: in clear, TLS with HTTP/1.1, TLS with HTTP/2, TLS with HTTP/1.1 and a client certificate. */
export type Door = "plain" | "tls" | "h2" | "mtls";

/** The port behind each door; none where a contender has no such door. */
export type Doors = Readonly<Partial<Record<Door, number>>>;

/** All that contenders are made from. */
export interface World {
  readonly processes: Processes;
  readonly machine: Machine;
  /** For files; gone when the bench ends. */
  readonly directory: string;
  readonly backendPort: number;
  readonly echoPort: number;
}

/** A contender that answers. */
export interface Contender {
  readonly name: string;
  /** The process that started all its others. */
  readonly process: Started;
  readonly doors: Doors;
  /** The file of its access log, on sites that have one. */
  readonly accessLog: string;
  /** The engine that it has chosen for each door; absent where there is nothing to choose. */
  readonly engines?: Readonly<Partial<Record<Door, string>>>;
  /** From the start of its process to its first answer. */
  readonly readyMs: number;
  /** Process ids of those that serve requests, without masters and control planes. */
  workerPids(): Promise<readonly number[]>;
  /** Takes a configuration in place of the running one, as its operators do. */
  reload?(generation: number): Promise<void>;
}

/** A way to make a contender. */
export interface ContenderKind {
  readonly name: string;
  /** One line for `--list` and the report. */
  readonly title: string;
  readonly isNodeProxy: boolean;
  readonly isSluice: boolean;
  /** Why it cannot be measured on this machine, or null. */
  missing(): string | null;
  version(): string;
  /** False when it cannot be such a site, or has no such door. */
  canServe(site: Site, door: Door): boolean;
  start(world: World, site: Site): Promise<Contender>;
}

/** The name of a site's host. */
export function hostName(index: number): string {
  return `host-${index}.bench.example`;
}

/** The prefix that a route of a site matches. */
export function routePrefix(site: Site, index: number): string {
  return site.routes === 1 ? "/" : `/route-${index}/`;
}
