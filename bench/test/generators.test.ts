// What wrk and h2load print, as recorded, and what is read from it.
import { describe, expect, test } from "vitest";
import { parseH2load } from "../src/load/generators/h2load.ts";
import { parseWrk } from "../src/load/generators/wrk.ts";

const wrkOutput = `Running 1s test @ http://127.0.0.1:28090/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   816.49us  339.41us   6.80ms   95.52%
    Req/Sec    90.83k     1.50k   92.35k    90.00%
  90412 requests in 1.00s, 16.21MB read
Requests/sec:  90356.12
Transfer/sec:     16.20MB
{"requests":90412,"durationUs":1000618,"connect":0,"read":2,"write":1,"status":12,"timeout":3,"p50":690,"p90":780,"p99":1280,"max":6800}
`;

describe("wrk", () => {
  test("the last line is the report: in microseconds, every kind of failure an error, other statuses not answered", () => {
    expect(parseWrk(wrkOutput)).toEqual({
      requests: 90_400,
      seconds: 1.000618,
      errors: 18,
      latency: { p50Ms: 0.69, p90Ms: 0.78, p99Ms: 1.28, maxMs: 6.8 },
    });
  });

  test("no report is no result", () => {
    expect(() => parseWrk("unable to connect to 127.0.0.1:1 Connection refused\n")).toThrow(/Connection refused/);
  });
});

const h2loadOutput = `finished in 2.07s, 3700.00 req/s, 549.22KB/s
requests: 7400 total, 7500 started, 7400 done, 7397 succeeded, 3 failed, 1 errored, 2 timeout
status codes: 7390 2xx, 0 3xx, 4 4xx, 3 5xx
traffic: 1.07MB (1124800) total, 791.02KB (810000) headers (space savings 0.00%), 36.62KB (37500) data
`;

describe("h2load", () => {
  test("answers with 2xx are requests; everything else is an error but what the end cut off", () => {
    const { requests, errors } = parseH2load(h2loadOutput, "");
    expect({ requests, errors }).toEqual({ requests: 7390, errors: 10 });
  });

  test("latencies are the log's, of answers only", () => {
    const log =
      "1763910000000000\t200\t1500\n1763910000000100\t-1\t0\n1763910000000200\t503\t90\n1763910000000300\t200\t250\n";
    expect(parseH2load(h2loadOutput, log).durationsMs).toEqual([1.5, 0.25]);
  });

  test("no report is no result", () => {
    expect(() => parseH2load("[ERROR] Could not resolve host\n", "")).toThrow(/Could not resolve/);
  });
});
