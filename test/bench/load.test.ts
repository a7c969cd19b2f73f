import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readWrk } from "../../bench/http/load.ts";

const test = suite("what the load generator prints");

const TEXT = `Running 3s test @ http://127.0.0.1:1/
  1 threads and 100 connections
  Latency Distribution
     50%  812.00us
     75%    2.04ms
     90%    3.62ms
     99%    1.20s
  9000 requests in 3.00s, 20.00MB read
  Socket errors: connect 0, read 2, write 0, timeout 1
  Non-2xx or 3xx responses: 4
Requests/sec:   3000.50
Transfer/sec:      6.66MB
`;

test("requests, percentiles in their units, and every kind of error", () => {
	const { p50Ms, ...told } = readWrk(TEXT);
	assert.ok(Math.abs(p50Ms - 0.812) < 1e-9);
	assert.equal(told, { requestsPerSecond: 3000.5, requests: 9000, p99Ms: 1200, errors: 7 });
});

test.run();
