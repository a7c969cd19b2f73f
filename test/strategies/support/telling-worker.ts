import { threadId } from "node:worker_threads";
import type { CrossingRequest } from "../../../src/strategies/crossing.ts";

const BUSY_MS = 20;

/** Tells which thread was asked, after a while in which it can take nothing else. */
export default ({ request }: CrossingRequest): unknown => {
	const untilMs = performance.now() + BUSY_MS;
	while (performance.now() < untilMs);
	return { strategy_id: request.strategy_id, thread: threadId };
};
