/**
 * Runs scans of trivial effects, sixteen at once, and tells how many bytes a scan has left among V8's old objects, the
 * short-lived ones that were taken for long-lived included.
 * Usage: node young-scans.mjs <connection as JSON> <scans before> <scans>
 */
import { getHeapSpaceStatistics } from "node:v8";
import { openLookout } from "../../bench/orchestration/lookout.ts";

const AT_ONCE = 16;
const [connection = "{}", before = "0", counted = "0"] = process.argv.slice(2);
const lookout = await openLookout(JSON.parse(connection), false);

/** Objects and their hidden classes; what is freed meanwhile is not taken off. */
const oldBytes = (): number =>
	getHeapSpaceStatistics()
		.filter(({ space_name }) => space_name === "old_space" || space_name === "map_space")
		.reduce((sum, { space_used_size }) => sum + space_used_size, 0);

async function grownBy(scans: number): Promise<number> {
	let [left, last, grown] = [scans, oldBytes(), 0];
	const place = async () => {
		while (left > 0) {
			left -= 1;
			await lookout.scan();
			const now = oldBytes();
			grown += Math.max(0, now - last);
			last = now;
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, place));
	return grown;
}

await grownBy(Number(before));
const old_bytes = (await grownBy(Number(counted))) / Number(counted);
process.stdout.write(JSON.stringify({ old_bytes }));
await lookout.close();
process.exit(0);
