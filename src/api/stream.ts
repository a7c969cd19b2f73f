import { Readable } from "node:stream";
import type { Context } from "koa";
import type { Clock } from "../clock.ts";
import type { EventStream } from "./route.ts";

/** A reader that takes nothing for so long is cut off: it can come back and name what it has. */
export const STALLED_AFTER_MS = 60_000;

/** Ends the response when the reader stops reading; what it has not taken is held once, never piled up. */
async function* watched(ctx: Context, text: AsyncIterable<string>, clock: Clock): AsyncGenerator<string> {
	for await (const chunk of text) {
		const timer = clock.setTimeout(() => ctx.res.destroy(), STALLED_AFTER_MS);
		try {
			yield chunk;
		} finally {
			clock.clearTimeout(timer);
		}
	}
}

/** Makes the answer a stream of Server-Sent Events that lives as long as its reader and its source. */
export function sendStream(ctx: Context, { text, release }: EventStream, clock: Clock): void {
	const readable = Readable.from(watched(ctx, text, clock), { highWaterMark: 1 });
	ctx.res.once("close", () => {
		readable.destroy();
		release();
	});
	ctx.set("Cache-Control", "no-cache, no-transform");
	ctx.set("X-Accel-Buffering", "no");
	ctx.type = "text/event-stream; charset=utf-8";
	ctx.status = 200;
	ctx.body = readable;
}
