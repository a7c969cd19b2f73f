import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WebSocket } from "ws";
import { createMachine } from "xstate";
import { type Inspection, openInspection } from "../../src/inspect/index.ts";
import { mayWatch } from "../../src/inspect/server.ts";
import { type TestApi, within } from "../support/api.ts";
import { beginner, waiting } from "../support/begun.ts";
import { type LiveWorld, startLiveWorld } from "../support/live-api.ts";
import { sampleRow } from "../support/records.ts";
import { scanInput } from "../support/scan-input.ts";
import { testLogger } from "../support/store.ts";
import { foundReport, quickEffects, runtimeOn } from "../support/system.ts";
import { within as inTime } from "../support/wait.ts";

const inspection = suite("inspect: XState's inspection events of what is committed");

interface Message {
	type: string;
	sessionId: string;
	rootId: string;
	parentId?: string;
	name?: string;
	definition?: string;
	event?: { type: string };
	snapshot?: { status: string; value: string; context: Record<string, unknown> };
	createdAt: string;
	_version: string;
}

let world: LiveWorld;
let api: TestApi;
let opened: Inspection;
let url: string;
inspection.before(async () => {
	world = await startLiveWorld();
	const { profile } = scanInput();
	const accounts = { byId: (userId: string) => api.users.accounts.byId(userId) };
	api = await world.api({ commands: { accounts, profileOf: ({ role }) => ({ ...profile, role }) } });
	const log = testLogger();
	const warn = (fields: unknown) => {
		url = (fields as { url?: string }).url ?? url;
	};
	opened = await openInspection(0, world.store, { ...log, warn } as typeof log);
});
inspection.after(async () => {
	await opened?.close();
	await world?.stop();
});

/** Connects as Stately's receiver does: every message is JSON text. */
async function watch() {
	const texts: string[] = [];
	const messages: Message[] = [];
	let look = () => {};
	const socket = new WebSocket(url);
	socket.on("message", (data) => {
		texts.push(String(data));
		messages.push(JSON.parse(String(data)) as Message);
		look();
	});
	const until = (wanted: (message: Message) => boolean, what: string) =>
		inTime(
			new Promise<void>((resolve) => {
				look = () => messages.some(wanted) && resolve();
				look();
			}),
			what,
		);
	await new Promise<void>((resolve, reject) => {
		socket.on("open", resolve);
		socket.on("error", reject);
	});
	return { messages, texts, socket, until };
}

async function scanOf(role: "admin" | "trader"): Promise<{ scanId: string; email: string; userId: string }> {
	const { token, email, user_id } = await api.userWith(role);
	const body = { symbols: "SECRETCOIN", max_required_capital: 4_711 };
	const started = await api.call("POST", "/api/v1/opportunities/discover", { token, body });
	const scanId = String(started.json["scan_id"]);
	const effects = quickEffects({
		async evaluateStrategy(effect) {
			const id = `${effect.strategy_id}-row`;
			const row = sampleRow(id, { strategy_id: effect.strategy_id, symbol: "SECRETCOIN/USDT" });
			return { report: foundReport(effect), attachments: { rows: new Map([[id, row]]) } };
		},
	});
	await runtimeOn(opened.store, effects, { workerId: "worker-inspected" }).run(scanId);
	return { scanId, email, userId: user_id };
}

inspection(
	"a scan that is made as claimed is told from its claim on, also when its start does not learn that it is accepted",
	within(30_000, async () => {
		for (const starting of [{}, { accept: () => Promise.reject(new Error("Connection is closed.")) }]) {
			const { messages, socket, until } = await watch();
			let scanId = "";
			const enqueue = async (id: string) => assert.unreachable(`${id} is queued`);
			const { go, effects } = waiting();
			const { start, runtime } = beginner(opened.store, { starting, enqueue, effects });
			const reserve = runtime.reserve;
			runtime.reserve = (id) => {
				scanId = id;
				return reserve(id);
			};
			await start().catch(() => undefined);
			if (!("accept" in starting)) {
				await until(({ event }) => event?.type === "scan.claimed", "its claim");
				assert.is((await world.store.reader.events(scanId, 1_000)).length, 1, "nothing has been committed yet");
			}
			go.resolve();
			await until(({ snapshot, sessionId }) => sessionId === scanId && snapshot?.status === "done", "its end");
			const events = messages.filter(({ type }) => type === "@xstate.event").map(({ event }) => event?.type);
			const recorded = await world.store.reader.events(scanId, 1_000);
			assert.is(events[0], "scan.claimed");
			assert.equal(
				events,
				recorded.flatMap((entry) => entry.events.map(({ type }) => type)),
				"every event, in order, once",
			);
			socket.terminate();
		}
	}),
);

inspection(
	"a watcher is told the machine, each event and each committed state of an admin's scan, and nothing of its owner",
	within(30_000, async () => {
		const { messages, texts, socket, until } = await watch();
		await scanOf("trader");
		const { scanId, email, userId } = await scanOf("admin");
		const isEnd = ({ snapshot, sessionId }: Message) => sessionId === scanId && snapshot?.status === "done";
		await until(isEnd, "the end of the scan is told");
		assert.ok(
			messages.every(({ rootId }) => rootId === scanId),
			"a trader's scan is not told",
		);
		const [first] = messages;
		assert.is(first?.type, "@xstate.actor");
		assert.is(first?.name, "scan.v1");
		const machine = createMachine(JSON.parse(String(first?.definition)));
		const snapshots = messages.filter(({ type, sessionId }) => type === "@xstate.snapshot" && sessionId === scanId);
		for (const { snapshot } of snapshots) assert.ok(machine.states[String(snapshot?.value)], snapshot?.value);
		assert.is(snapshots.at(-1)?.snapshot?.value, "completed");
		const record = await world.store.reader.read(scanId);
		assert.equal(snapshots.at(-1)?.snapshot?.context["opportunities_found"], record?.context.opportunities_found);
		const events = messages.filter(({ type }) => type === "@xstate.event").map(({ event }) => event?.type);
		const recorded = await world.store.reader.events(scanId, record?.revision ?? 0);
		assert.equal(
			events,
			recorded.flatMap((entry) => entry.events.map(({ type }) => type)),
			"every event, in order, once",
		);
		const runs = messages.filter(({ type, parentId }) => type === "@xstate.actor" && parentId === scanId);
		assert.equal(
			runs.map(({ name }) => name),
			record?.context.strategies.map(({ strategy_id }) => strategy_id),
		);
		for (const message of messages) {
			assert.match(message.createdAt, /^\d+$/);
			assert.type(message._version, "string");
		}
		for (const secret of [email, userId, "SECRETCOIN", "4711", "capital", "token"])
			assert.not.ok(
				texts.some((text) => text.includes(secret)),
				secret,
			);
		socket.terminate();
	}),
);

inspection(
	"a further watcher hears of a scan from its machine on",
	within(30_000, async () => {
		const { messages, socket, until } = await watch();
		const { scanId } = await scanOf("admin");
		await until(({ snapshot }) => snapshot?.value === "completed", "the end is told");
		assert.equal([messages[0]?.type, messages[0]?.sessionId], ["@xstate.actor", scanId]);
		socket.terminate();
	}),
);

inspection("pages of other hosts may not watch, programs and pages of this machine may", async () => {
	for (const origin of [undefined, "http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:8080"])
		assert.ok(mayWatch(origin), origin);
	for (const origin of ["https://example.org", "null", "", "http://127.0.0.1.example.org", "http://localhost.evil"])
		assert.not.ok(mayWatch(origin), origin);
	const stranger = new WebSocket(url, { origin: "https://example.org" });
	const refused = await new Promise<string>((resolve) => {
		stranger.on("open", () => resolve("open"));
		stranger.on("error", (error) => resolve(error.message));
	});
	assert.match(refused, /401/);
});

inspection("without a port the store is the same and nothing listens", async () => {
	const off = await openInspection(null, world.store, testLogger());
	assert.is(off.store, world.store);
});

inspection.run();
