import { type Cost, costOf, lowestOf, sharedBy } from "./meter.ts";
import { type Scene, type Subject, times } from "./scene.ts";
import type { Watching } from "./streams.ts";

/** What is asked of the built API process: requests, and event streams that are told of commits. */

/** Requests that one run makes, one after another: the scheduler's clock is too coarse for a single one. */
const REQUESTS = 5;

/** Asks the API process; its processor time, and what one request makes Redis do. */
export const requested =
	(pathOf: (subject: Subject) => string) =>
	async ({ stage, subject, runs }: Scene): Promise<Cost> => {
		const api = await stage.api();
		const path = pathOf(subject);
		const cost = await costOf(
			stage.client,
			times(runs),
			async () => {
				for (let n = 0; n < REQUESTS; n++) await api.ask(subject.user, "GET", path);
			},
			lowestOf(api.cpuUs),
		);
		return sharedBy(cost, REQUESTS);
	};

let symbols = 0;

/** POSTs of scans with filters that nobody has asked for; nobody runs them. */
export async function startsOverHttp({ stage, subject: { user }, runs }: Scene): Promise<Cost> {
	const api = await stage.api();
	const started: string[] = [];
	const start = async () => {
		symbols += 1;
		const text = await api.ask(user, "POST", "/opportunities/discover", { symbols: [`S${symbols}/USDT`] });
		started.push((JSON.parse(text) as { scan_id: string }).scan_id);
	};
	const cost = await costOf(
		stage.client,
		times(runs),
		async () => {
			for (let n = 0; n < REQUESTS; n++) await start();
		},
		lowestOf(api.cpuUs),
	);
	await stage.store.writer.erase(user.user_id, started);
	return sharedBy(cost, REQUESTS);
}

/** One entry of each watched scan, or of one of them, until all its watchers have it. */
export const told =
	(scansOf: (watching: Watching) => number) =>
	async ({ stage, subject: { watching }, runs }: Scene): Promise<Cost> => {
		if (!watching) throw new Error("nobody watches");
		const api = await stage.api();
		return costOf(stage.client, times(runs), () => watching.tell(scansOf(watching)), lowestOf(api.cpuUs));
	};
