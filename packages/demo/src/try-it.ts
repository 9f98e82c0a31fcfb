// The requests that show the five topologies. Printed by `pnpm start` and run, as printed, by test/stories/demo.test.ts.

export interface Trial {
  readonly title: string;
  /** A shell command; works when pasted at the project's root. */
  readonly command: string;
  /** What its output holds. */
  readonly shows: string;
}

const trust = "--cacert config/demo/certs/ca.crt";
const at = (host: string, ...ports: number[]) => ports.map((port) => `--resolve ${host}:${port}:127.0.0.1`).join(" ");
const identity = (name: string) => `--cert config/demo/certs/${name}.crt --key config/demo/certs/${name}.key`;

export const trials: readonly Trial[] = [
  {
    title: "1  one host, plain HTTP",
    command: "curl -s http://127.0.0.1:6280/status/418",
    shows: "teapot",
  },
  {
    title: "2  port 80 sends to https (301), https answers",
    command: `curl -siL ${trust} ${at("httpbin.istio.local", 8080, 8443)} http://httpbin.istio.local:8080/status/418`,
    shows: "teapot",
  },
  {
    title: "3  mutual TLS: the listed client is served",
    command: `curl -s ${trust} ${identity("istio-is5")} ${at("app.istio.local", 8443)} https://app.istio.local:8443/status/418`,
    shows: "teapot",
  },
  {
    title: "   ... one of the same authority that is not listed is cut off before its request is read",
    command: `curl -sS ${trust} ${identity("istio-other")} ${at("app.istio.local", 8443)} https://app.istio.local:8443/status/418 2>&1`,
    shows: "curl: (",
  },
  {
    title: "4  two hosts on one port: a serves /status, b serves /headers",
    command: "curl -s -H 'Host: httpbin-a.example' http://127.0.0.1:8080/status/418",
    shows: "teapot",
  },
  {
    title: "   ... with what the gateway adds: request id, trace, route",
    command: "curl -s -H 'Host: httpbin-b.example' http://127.0.0.1:8080/headers",
    shows: "X-Envoy-Decorator-Operation",
  },
  {
    title: "5  the same two hosts over TLS, each with its own certificate",
    command: `curl -sv ${trust} ${at("httpbin-b.example", 8443)} https://httpbin-b.example:8443/headers 2>&1`,
    shows: "httpbin-b.example",
  },
  {
    title: "   why did it go there?",
    command:
      "node_modules/.bin/sluice explain --ctrl http://127.0.0.1:15010 --port 80 --host httpbin-a.example --path /headers",
    shows: "/headers",
  },
  {
    title: "   what is configured?",
    command: "node_modules/.bin/sluice pc route --ctrl http://127.0.0.1:15010",
    shows: "httpbin-a.example:80",
  },
];

/** Text for the screen. */
export function describeDemo(): string {
  const lines = trials.flatMap(({ title, command }) => [`# ${title}`, command, ""]);
  return [
    "",
    "Sluice serves the five topologies of config/demo/resources. Try, from the project's root:",
    "",
    ...lines,
    "Edit a file in config/demo/resources and ask again; metrics are at http://127.0.0.1:15000/stats/prometheus. Ctrl-C ends it.",
    "",
  ].join("\n");
}
