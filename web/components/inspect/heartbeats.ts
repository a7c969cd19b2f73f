import { get } from "../../lib/api.ts";
import { useEffect, useState } from "../../lib/html.ts";
import type { ScanSource } from "./source.ts";

/** A worker's heartbeat is due every two seconds by default. */
const LOOK_EVERY_MS = 2_000;
const KEPT = 200;

/**
 * Moments of the worker's heartbeats, ms since the epoch, oldest first, as far as they were seen: heartbeats are no
 * entries of the journal, the record keeps the newest one. None for a scan from a file.
 */
export function useHeartbeats({ scanId, stream }: ScanSource): readonly number[] {
	const [beats, setBeats] = useState<readonly number[]>([]);
	const running = stream !== "file" && stream !== "ended";
	useEffect(() => {
		setBeats([]);
		if (stream === "file") return;
		const abort = new AbortController();
		let timer: ReturnType<typeof setTimeout> | undefined;
		const look = async () => {
			try {
				const path = `/scan-diagnostics/scan-lifecycle/${encodeURIComponent(scanId)}`;
				const { body } = await get(path, { signal: abort.signal });
				const at = Date.parse(String(body.last_heartbeat_at));
				if (Number.isFinite(at)) setBeats((held) => (held.at(-1) === at ? held : [...held, at].slice(-KEPT)));
			} catch {
				// A look that fails is made again; the page says elsewhere when the server is away.
			}
			if (running && !abort.signal.aborted) timer = setTimeout(look, LOOK_EVERY_MS);
		};
		void look();
		return () => {
			abort.abort();
			clearTimeout(timer);
		};
	}, [scanId, running, stream === "file"]);
	return beats;
}
