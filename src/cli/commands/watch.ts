import type { Client } from "../client.ts";
import { type CliContext, pause, printJson } from "../context.ts";
import { followScan } from "../events.ts";
import { EXIT } from "../exit.ts";
import { applyEvent, drawLive, newLiveScan, plainLine } from "../live.ts";
import { harmless, painter } from "../terminal.ts";

const REDRAW_MS = 200;

/**
 * Follows a scan to its end: a view that is drawn over where a person looks, plain lines elsewhere, JSON lines on
 * request. Returns the exit code: 0 complete, 4 failed or cancelled, 130 when the watching was ended.
 */
export async function watchScan(context: CliContext, client: Client, scanId: string, json: boolean): Promise<number> {
	const { terminal, clock, signal } = context;
	const live = terminal.isLive && !json;
	let scan = newLiveScan();
	let drawn = 0;
	const draw = () => {
		const lines = drawLive(scan, clock.now(), terminal.columns);
		terminal.out(`${drawn > 0 ? `\u001b[${drawn}A` : ""}${lines.map((line) => `\u001b[2K${line}`).join("\n")}\n`);
		drawn = lines.length;
	};
	let timer: unknown = null;
	const redraw = () => {
		draw();
		timer = clock.setTimeout(redraw, REDRAW_MS);
	};
	if (live) redraw();
	try {
		for await (const event of followScan(client, scanId, signal, (ms) => pause(context, ms))) {
			scan = applyEvent(scan, event);
			if (json) printJson(context, event);
			else if (!live) {
				const line = plainLine(event);
				if (line) terminal.out(`${line}\n`);
			}
		}
	} finally {
		if (timer !== null) clock.clearTimeout(timer);
	}
	if (live) draw();
	if (signal.aborted) {
		terminal.err(`The scan goes on. Watch it again: lookout watch ${scanId}\n`);
		return 130;
	}
	return concluded(context, client, scanId, json);
}

async function concluded(context: CliContext, client: Client, scanId: string, json: boolean): Promise<number> {
	const { body } = await client.call("GET", `/opportunities/status/${scanId}`);
	const paint = painter(context.terminal);
	const complete = body.status === "complete";
	if (!json && context.terminal.isLive)
		context.terminal.out(`${paint(complete ? "green" : "red", harmless(String(body.message)))}\n`);
	if (!json && complete) context.terminal.out(`Results: lookout results ${scanId}\n`);
	return complete ? EXIT.ok : EXIT.scan_ended_badly;
}
