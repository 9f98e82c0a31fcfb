-- What wrk sends beyond one plain request, and its report as one line of JSON, in microseconds and not rounded.
-- Arguments: number of hosts, path, bytes of a body.
local requests, next = {}, 0

function init(arguments)
  local hosts, path, bytes = tonumber(arguments[1]), arguments[2], tonumber(arguments[3])
  local body, method = nil, "GET"
  if bytes > 0 then
    body, method = string.rep("x", bytes), "POST"
  end
  for host = 0, hosts - 1 do
    requests[host + 1] = wrk.format(method, path, { Host = "host-" .. host .. ".bench.example" }, body)
  end
end

-- Every host in turn. A stride that shares no factor with powers of ten visits them all, and no two neighbours.
function request()
  next = (next + 7919) % #requests
  return requests[next + 1]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"durationUs":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d,' ..
      '"p50":%d,"p90":%d,"p99":%d,"max":%d}\n',
    summary.requests, summary.duration, errors.connect, errors.read, errors.write, errors.status, errors.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
