import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants } from "node:zlib";
import type { Redis } from "ioredis";
import type { Universe } from "../market/contract.ts";
import { universeKey } from "./keys.ts";
import { whenFull } from "./scan-index.ts";

/** Discovered universes by content hash: many scans of one moment share one copy. */
export interface UniverseDocuments {
	put(hash: string, universe: Universe): Promise<void>;
	/** Null after its time, or when the server was full: whoever needs it discovers again at the pinned instant. */
	get(hash: string): Promise<Universe | null>;
}

/** Longer than any scan may run; a restarted scan within it finds its universe. */
const KEPT_S = 3_600;
const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);
const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

export function createUniverseStore(redis: Redis): UniverseDocuments {
	return {
		async put(hash, universe) {
			const key = universeKey(hash);
			if ((await redis.expire(key, KEPT_S)) === 1) return;
			const text = await compress(JSON.stringify(universe), FAST);
			// A full server goes without: the scan has it in memory, and who carries it on discovers again.
			await redis.set(key, text, "EX", KEPT_S).catch(whenFull(async () => undefined));
		},
		async get(hash) {
			const stored = await redis.getBuffer(universeKey(hash));
			return stored === null ? null : (JSON.parse((await decompress(stored)).toString()) as Universe);
		},
	};
}
