import type { Redis } from "ioredis";

/** What a server has done since it began. */
export interface RedisCounts {
	/** Commands executed, those inside scripts too. */
	calls: number;
	scripts: number;
	bytes_in: number;
	kept_bytes: number;
}

/** What the server has done so far, the benchmark's own questions apart. */
export async function redisCounts(client: Redis): Promise<RedisCounts> {
	const text = await client.info("stats", "commandstats", "memory");
	const number = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(text)?.[1] ?? 0);
	let [calls, scripts] = [0, 0];
	for (const [, name = "", count = "0"] of text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
		if (name === "info") continue;
		calls += Number(count);
		if (/^(eval|evalsha|fcall)/.test(name)) scripts += Number(count);
	}
	return { calls, scripts, bytes_in: number("total_net_input_bytes"), kept_bytes: number("used_memory") };
}

export const countsBetween = (before: RedisCounts, after: RedisCounts): RedisCounts => ({
	calls: after.calls - before.calls,
	scripts: after.scripts - before.scripts,
	bytes_in: after.bytes_in - before.bytes_in,
	kept_bytes: after.kept_bytes - before.kept_bytes,
});
