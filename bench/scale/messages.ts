import type { Redis } from "ioredis";
import { createRedisClient } from "../../src/redis/clients.ts";
import { channels } from "../../src/store/keys.ts";
import { testLogger } from "../../test/support/store.ts";
import { countsOf, difference } from "../orchestration/counts.ts";

/** What the message about one commit costs for each process that is told, µs. */
export interface MessageCost {
	redis_us: number;
	process_us: number;
}

const SUBSCRIBERS = 24;
const MESSAGES = 20_000;
const BATCH = 100;

/** A process hears of the scans that are watched there: the same messages to many subscribers and to none. */
export async function messageCost(connection: { path: string }, client: Redis): Promise<MessageCost> {
	const scanId = `scan_${"a".repeat(32)}`;
	const channel = channels.commits(scanId);
	const message = `${scanId} 12 0`;

	async function publish(): Promise<{ redis_us: number; cpu_us: number }> {
		const before = await countsOf(client);
		const cpu = process.cpuUsage();
		for (let sent = 0; sent < MESSAGES; sent += BATCH) {
			const pipeline = client.pipeline();
			for (let n = 0; n < BATCH; n++) pipeline.publish(channel, message);
			await pipeline.exec();
		}
		const { main_us } = difference(before, await countsOf(client));
		const { user, system } = process.cpuUsage(cpu);
		return { redis_us: main_us, cpu_us: user + system };
	}

	const unheard = await publish();
	let heard = 0;
	const subscribers = Array.from({ length: SUBSCRIBERS }, () =>
		createRedisClient(connection, "subscriber", testLogger(), { name: "scale" }),
	);
	try {
		for (const subscriber of subscribers) {
			subscriber.on("message", () => {
				heard += 1;
			});
			await subscriber.subscribe(channel);
		}
		const all = await publish();
		const each = (us: number) => Math.max(0, us) / Math.max(1, heard);
		return { redis_us: each(all.redis_us - unheard.redis_us), process_us: each(all.cpu_us - unheard.cpu_us) };
	} finally {
		for (const subscriber of subscribers) subscriber.disconnect();
	}
}
