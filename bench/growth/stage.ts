import type { Redis } from "ioredis";
import type { ScanInput } from "../../machines/types.ts";
import { newScan } from "../../src/commands/plan.ts";
import { createCommands } from "../../src/commands.ts";
import type { Queries } from "../../src/queries.ts";
import { book } from "../../src/runtime/booking.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { Viewer } from "../../src/store/contract.ts";
import { openScanStore, type ScanStore } from "../../src/store/index.ts";
import { unpack } from "../../src/store/packing.ts";
import type { ScanWriter } from "../../src/store/write-contract.ts";
import { projections } from "../../src/views/projections.ts";
import { stopPrograms } from "../../test/support/program.ts";
import { queriesOn } from "../../test/support/queries.ts";
import { testLogger } from "../../test/support/store.ts";
import { commandDeps, runtimeOn, startRequest, viewer } from "../../test/support/system.ts";
import { type Api, openApi } from "./api.ts";
import { plannedStrategies, type Shape, shapedEffects } from "./shape.ts";

/** The program's own store, start, runtime and queries in this process, on one Redis; nothing happens by itself. */
export interface Stage {
	client: Redis;
	store: ScanStore;
	/** A read side that remembers nothing yet. */
	queries(): Queries;
	/** A scan that was accepted, not queued. */
	start(user: Viewer, shape: Shape): Promise<string>;
	/** Runs a started scan to its booked end. */
	run(scanId: string, shape: Shape, writer?: ScanWriter): Promise<void>;
	finished(user: Viewer, shape: Shape): Promise<string>;
	/** The built program on the same Redis, started when it is first asked for. */
	api(): Promise<Api>;
	/** The store as one more process opens it; closed with the stage at the latest. */
	another(): Promise<ScanStore>;
	close(): Promise<void>;
}

export const RETENTION_MS = 7 * 86_400_000;
export const TOMBSTONE_MS = 30 * 86_400_000;
/** Rows and scans of a user are what is grown here; their usual limits stand in their own tests. */
const ROWS_MAX = 100_000;
const USER_SCANS_MAX = 1_000_000;
/** No scan of a bench loses its lease or meets its deadline. */
const LONG_MS = 86_400_000;

/** Above those of the loader. */
const FIRST_USER = 900_000_000;
let users = FIRST_USER;
let filters = 0;

/** A user whom nobody else has. */
export const newUser = (): Viewer => viewer(++users);

export async function openStage(connection: { path: string }, client: Redis): Promise<Stage> {
	const open = () =>
		openScanStore(connection, testLogger(), { retention_ms: RETENTION_MS, tombstone_ms: TOMBSTONE_MS });
	const store = await open();
	const runtimes: Runtime[] = [];
	const others: ScanStore[] = [];
	let api: Promise<Api> | null = null;
	const base = commandDeps(store, async () => {});
	const limits = { ...base.settings.limits, rows_max: ROWS_MAX, budget_ms: LONG_MS, strategy_timeout_ms: LONG_MS };

	async function start(user: Viewer, shape: Shape): Promise<string> {
		const strategies = plannedStrategies(shape.strategies);
		const begin: ScanWriter["begin"] = (planned, claim) => {
			const input = JSON.parse(unpack(planned.scan["input"] ?? "{}")) as ScanInput;
			return store.writer.begin(newScan({ ...input, strategies }, projections), claim);
		};
		const commands = createCommands({
			...base,
			writer: { ...store.writer, begin },
			settings: { ...base.settings, limits: { ...limits, retry_backoff_ms: 1 } },
		});
		filters += 1;
		return (await commands.startScan(user, startRequest({ filter_key: `growth-${filters}` }))).scan_id;
	}

	async function run(scanId: string, shape: Shape, writer: ScanWriter = store.writer): Promise<void> {
		const runtime = runtimeOn({ ...store, writer }, shapedEffects(shape, store.reader), {
			settings: { lease_ms: LONG_MS, heartbeat_ms: LONG_MS / 3 },
			onEnded: (record) => book(writer, record, USER_SCANS_MAX),
		});
		runtimes.push(runtime);
		const how = await runtime.run(scanId);
		runtimes.pop();
		if (how !== "ended") throw new Error(`a scan of the bench did not end: ${how}`);
	}

	return {
		client,
		store,
		queries: () => queriesOn(store, { streamsMax: 1 }),
		start,
		run,
		async finished(user, shape) {
			const scanId = await start(user, shape);
			await run(scanId, shape);
			return scanId;
		},
		api() {
			api ??= openApi(connection.path, client);
			return api;
		},
		async another() {
			const other = await open();
			others.push(other);
			return other;
		},
		async close() {
			await stopPrograms();
			await Promise.all(others.map((other) => other.close()));
			await Promise.all(runtimes.map((runtime) => runtime.handOver()));
			await store.close();
		},
	};
}
