import http from "node:http";
import type { AddressInfo } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { route } from "../../src/api/route.ts";
import { ADMIN, startWorld, within } from "../support/api.ts";
import { createGate, isProblem, probe, slowRoutes } from "../support/probe-routes.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
let token: string;

const test = suite("API: shutdown and clients that leave");
test.before(async () => {
	world = await startWorld();
	token = String((await world.api.login())["access_token"]);
});
test.after(() => world.stop());

test(
	"shutdown: long polls answer their state, running requests finish, new ones get 503, /livez stays",
	within(10000, async () => {
		const [running, polling] = [createGate(), createGate()];
		const draining = await world.second({ deps: { routes: slowRoutes(running, polling) } });
		const poll = draining.call("GET", "/api/v1/probe/poll", { token });
		const run = draining.call("GET", "/api/v1/probe/running", { token });
		await Promise.all([polling.reached, running.reached]);
		assert.is(draining.app.inFlight(), 2);
		draining.app.beginShutdown();
		assert.equal((await poll).json, { state: "current" });
		const refused = await draining.call("POST", "/api/v1/auth/login", { body: ADMIN });
		isProblem(refused, 503, "shutting_down");
		assert.ok(Number(refused.headers["retry-after"]) >= 1);
		const ready = await draining.call("GET", "/readyz");
		isProblem(ready, 503, "shutting_down");
		assert.is(ready.json["status"], "not_ready");
		assert.is(ready.json["http_status"], 503);
		assert.is((await draining.call("GET", "/livez")).status, 200);
		running.open();
		assert.equal((await run).json, { done: true });
		assert.is(draining.app.inFlight(), 0);
	}),
);

test(
	"a client that goes away aborts the handler's signal",
	within(8000, async () => {
		let heard = (): void => undefined;
		const aborted = new Promise<void>((resolve) => {
			heard = resolve;
		});
		let entered = (): void => undefined;
		const reached = new Promise<void>((resolve) => {
			entered = resolve;
		});
		const waiting = route({
			...probe,
			method: "get",
			path: "/probe/gone-client",
			operation_id: "probeGoneClient",
			handler: ({ signal }) =>
				new Promise((_, reject) => {
					signal.addEventListener("abort", () => {
						heard();
						reject(signal.reason);
					});
					entered();
				}),
		});
		const other = await world.second({ deps: { routes: [waiting] } });
		const { port } = other.server.address() as AddressInfo;
		const sent = http.get({
			host: "127.0.0.1",
			port,
			path: "/api/v1/probe/gone-client",
			headers: { authorization: `Bearer ${token}` },
		});
		sent.on("error", () => undefined);
		await reached;
		sent.destroy();
		await aborted;
		assert.is(other.logs.length, 0);
	}),
);

test.run();
