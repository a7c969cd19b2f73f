import type { Redis } from "ioredis";

/** What a Redis server has done so far. */
export interface Counts {
	/** Every command executed, those inside scripts too. */
	calls: number;
	/** Calls of scripts. */
	scripts: number;
	bytes_in: number;
	bytes_out: number;
	/** Processor time of the server, µs: all its threads, and the one that executes every command. */
	cpu_us: number;
	main_us: number;
	/** Memory in use, bytes. */
	kept_bytes: number;
}

/** What the server has done so far, its own INFO apart. One round trip. */
export async function countsOf(client: Redis): Promise<Counts> {
	const text = await client.info("stats", "commandstats", "memory", "cpu");
	const number = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(text)?.[1] ?? 0);
	let [calls, scripts] = [0, 0];
	for (const [, name = "", count = "0"] of text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
		if (name === "info") continue;
		calls += Number(count);
		if (/^(eval|evalsha|fcall)/.test(name)) scripts += Number(count);
	}
	return {
		calls,
		scripts,
		bytes_in: number("total_net_input_bytes"),
		bytes_out: number("total_net_output_bytes"),
		cpu_us: 1e6 * (number("used_cpu_sys") + number("used_cpu_user")),
		main_us: 1e6 * (number("used_cpu_sys_main_thread") + number("used_cpu_user_main_thread")),
		kept_bytes: number("used_memory"),
	};
}

export const difference = (before: Counts, after: Counts): Counts => ({
	calls: after.calls - before.calls,
	scripts: after.scripts - before.scripts,
	bytes_in: after.bytes_in - before.bytes_in,
	bytes_out: after.bytes_out - before.bytes_out,
	cpu_us: after.cpu_us - before.cpu_us,
	main_us: after.main_us - before.main_us,
	kept_bytes: after.kept_bytes - before.kept_bytes,
});
