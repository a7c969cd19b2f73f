/**
 * One system in a process of its own. The parent says over the channel how many scans at once and for how long;
 * the answer is every scan's latency and this process's CPU time.
 */
import { once } from "node:events";

/** A scan that has not ended by then is lost: the run fails aloud. */
const SCAN_LIMIT_MS = 60_000;

/** A closed loop: `concurrency` scans in flight until the window is over and each place has had its turn. */
async function run({ scan, read, idle }, { concurrency, window_ms }) {
	const latencies = [];
	let started = 0;
	let last = "";
	const [cpu, began] = [process.cpuUsage(), performance.now()];
	const place = async () => {
		while (started < concurrency || performance.now() - began < window_ms) {
			started += 1;
			const at = performance.now();
			last = await limited(scan());
			latencies.push(performance.now() - at);
		}
	};
	await Promise.all(Array.from({ length: concurrency }, place));
	const wall_ms = performance.now() - began;
	await idle?.();
	const { user, system } = process.cpuUsage(cpu);
	const { rows, ranked, bytes, progress } = await read(last);
	if (rows !== 14 || ranked !== 14 || bytes < 8_000 || !progress) {
		throw new Error(`scan ${last} reads back as ${JSON.stringify({ rows, ranked, bytes, progress })}`);
	}
	return { latencies, wall_ms, cpu_ms: (user + system) / 1_000, result_bytes: bytes };
}

function limited(promise) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error("a scan did not end")), SCAN_LIMIT_MS);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/**
 * @param open settings -> { scan(): id of a finished scan, read(id): { rows, ranked, bytes, progress } as the system
 *   keeps them, idle?(): resolves when nothing of the finished scans is left to do, close() }
 */
export async function serve(open) {
	const [settings] = await once(process, "message");
	try {
		const system = await open(settings);
		process.on("message", async (message) => {
			if (message === "close") {
				await Promise.race([system.close(), new Promise((resolve) => setTimeout(resolve, 3_000))]);
				process.exit(0);
			}
			try {
				process.send({ result: await run(system, message) });
			} catch (error) {
				process.send({ failed: String(error?.stack ?? error) });
			}
		});
		process.send({ ready: true });
	} catch (error) {
		process.send({ failed: String(error?.stack ?? error) });
	}
	process.on("disconnect", () => process.exit(1));
}
