import { createDraws } from "../../src/market/simulated-random.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { quantile } from "../orchestration/table.ts";
import { costOf, runsFor } from "./meter.ts";
import type { Shape } from "./shape.ts";
import { newUser, type Stage } from "./stage.ts";

/** What it costs to see a scan as it was. */
export interface Travel {
	entries: number;
	/** Events that the journal holds: those are run again. */
	events: number;
	/** Memory of the journal in Redis. */
	journal_bytes: number;
	p50_ms: number;
	p99_ms: number;
	/** Processor time of this process for one state. */
	cpu_ms: number;
	/** To and from Redis for one state. */
	read_bytes: number;
}

/** Runs one scan of the shape and reads its state at `reads` entries that are drawn evenly. */
export async function travel(stage: Stage, shape: Shape, reads: number): Promise<Travel> {
	const user = newUser();
	const scanId = await stage.finished(user, shape);
	const { journal } = stage.queries();
	const entries = (await stage.store.reader.head(scanId))?.revision ?? 0;
	const recorded = await stage.store.reader.events(scanId, entries);
	const draws = createDraws(entries);
	const places = Array.from({ length: runsFor(reads) }, () => 1 + Math.floor(draws.uniform() * entries));
	const walls: number[] = [];
	const { cpu_us, bytes } = await costOf(stage.client, places, async (seq) => {
		const began = performance.now();
		await journal.stateAt(user, scanId, seq);
		walls.push(performance.now() - began);
	});
	const measured = walls.slice(-reads);
	return {
		entries,
		events: recorded.reduce((sum, { events }) => sum + events.length, 0),
		journal_bytes: Number(await stage.client.memory("USAGE", scanKeys(scanId).journal, "SAMPLES", 0)),
		p50_ms: quantile(measured, 0.5),
		p99_ms: quantile(measured, 0.99),
		cpu_ms: cpu_us / 1_000,
		read_bytes: bytes,
	};
}
