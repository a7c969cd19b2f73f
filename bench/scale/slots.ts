import type { Redis } from "ioredis";

/**
 * Which slots of a cluster a scan's commands go to: those of the scan and of its user are spread over all nodes, each
 * of the others is one slot, on one node, whatever the number of nodes.
 */
export type SlotCounts = Record<string, number>;

const SCAN = /^scan(_\w+)?:\{scan_[0-9a-f]{32}\}$/;
const USER = /\{[0-9a-f]{8}-[0-9a-f-]{27}\}/;
const QUEUE = /^\{scans\}/;
const DAY = /\d{4}-\d{2}-\d{2}/;

/** Messages about commits, one each, sent by the scripts that commit. */
export const MESSAGES = "messages";

/** The part of a key that is the same for all scans: the name of its family. */
export function slotOf(key: string): string {
	if (SCAN.test(key)) return "of the scan";
	if (USER.test(key)) return "of the user";
	if (QUEUE.test(key)) return "{scans} (queue)";
	if (key.startsWith("scan_totals")) return "{monitoring}";
	if (DAY.test(key)) return "statistics of a day";
	if (key.startsWith("market_")) return "market";
	return key;
}

/** Commands that name no key, and those that are about connections. */
const KEYLESS = new Set(["time", "info", "ping", "client", "hello", "scan", "script", "command", "select", "monitor"]);
/** Its first argument is the script, its third the first key; the keys of what it calls are counted by themselves. */
const SCRIPTS = new Set(["eval", "evalsha"]);

/** Counts every command that the server executes while `work` runs, scripts' own commands included, by slot. */
export async function slotsDuring(client: Redis, work: () => Promise<unknown>): Promise<SlotCounts> {
	const counts: SlotCounts = {};
	const monitor = await client.monitor();
	monitor.on("monitor", (_time: string, [name = "", ...args]: string[]) => {
		const command = name.toLowerCase();
		if (KEYLESS.has(command)) return;
		const key = SCRIPTS.has(command) ? args[2] : args[0];
		if (key === undefined) return;
		const slot = command === "publish" ? MESSAGES : slotOf(key);
		counts[slot] = (counts[slot] ?? 0) + 1;
	});
	try {
		await work();
		// What the server has told is read before the connection goes.
		await client.ping();
		await new Promise((resolve) => setTimeout(resolve, 50));
	} finally {
		monitor.disconnect();
	}
	return counts;
}
