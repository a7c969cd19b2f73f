import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CliContext } from "../../src/cli/context.ts";
import { EXIT } from "../../src/cli/exit.ts";
import { runCli } from "../../src/cli/main.ts";
import type { Session } from "../../src/cli/session.ts";
import { harmless } from "../../src/cli/terminal.ts";
import { systemClock } from "../../src/clock.ts";
import { PASSWORD, type TestApi, within } from "../support/api.ts";
import { type LiveWorld, startLiveWorld } from "../support/live-api.ts";
import { sampleRow } from "../support/records.ts";
import { foundReport, runOnceAccepted } from "../support/system.ts";

const cli = suite("command line");

let world: LiveWorld;
let api: TestApi;
/** Runs every scan as soon as it is queued. */
let runAtOnce = true;
cli.before(async () => {
	world = await startLiveWorld();
	const runtime = world.runtime({
		async evaluateStrategy(effect) {
			const row = sampleRow(`${effect.strategy_id}-row`, { strategy_id: effect.strategy_id, symbol: "BTC/USDT" });
			return {
				report: foundReport(effect),
				attachments: { rows: new Map([[row.opportunity_id, row]]) },
			};
		},
	});
	api = await world.api({
		enqueue: async (scanId) => {
			if (runAtOnce) void runOnceAccepted(runtime, scanId);
		},
	});
});
cli.after(() => world.stop());

/** A person at a terminal of their own. */
function person(options: { isLive?: boolean; env?: Record<string, string> } = {}) {
	let session: Session | null = null;
	const said = { out: "", err: "" };
	const { port } = api.server.address() as { port: number };
	const context: CliContext = {
		terminal: {
			out(text) {
				said.out += text;
			},
			err(text) {
				said.err += text;
			},
			isLive: options.isLive ?? false,
			columns: 100,
			ask: async () => "",
			input: async () => PASSWORD,
		},
		sessions: {
			read: async () => session,
			async write(held) {
				session = held;
			},
			async remove() {
				session = null;
			},
		},
		env: { LOOKOUT_URL: `http://127.0.0.1:${port}`, ...options.env },
		clock: systemClock,
		signal: new AbortController().signal,
	};
	const run = async (...words: string[]) => {
		said.out = "";
		said.err = "";
		const code = await runCli(words, context);
		return { code, ...said };
	};
	return {
		run,
		expire: () => {
			if (session) session = { ...session, access_token: `${session.access_token.slice(0, -3)}xxx` };
		},
		async signedIn() {
			const { email } = await api.userWith("trader");
			assert.is((await run("login", "--email", email, "--password-stdin")).code, EXIT.ok);
		},
	};
}

cli(
	"from login to results: plain lines where nobody looks, exit code 0",
	within(30_000, async () => {
		const me = person();
		await me.signedIn();
		const watched = await me.run("scan", "--symbols", "BTC", "--watch");
		assert.is(watched.code, EXIT.ok, watched.err);
		assert.match(watched.out, /phase strategies_scan\n/);
		assert.match(watched.out, /found BTC\/USDT long\n/);
		assert.match(watched.out, /completed: Scan complete/);
		assert.not.ok(watched.out.includes("\u001b"));
		const results = await me.run("results");
		assert.match(results.out, /BTC\/USDT\s+long\s+AI Momentum Trading/);
		const why = await me.run("why", "--strategy", "momentum");
		assert.match(why.out, /AI Momentum Trading: ok_found \(1 published/);
		assert.match(why.out, /rejected: no_trigger 1/);
		const listed = JSON.parse((await me.run("list", "--json")).out) as { scans: { scan_id: string }[] };
		assert.is(listed.scans.length, 1);
		const status = JSON.parse((await me.run("status", "--json")).out) as { scan_id: string };
		assert.is(status.scan_id, listed.scans[0]?.scan_id);
	}),
);

cli(
	"a person sees a view drawn over, with a row for each strategy",
	within(30_000, async () => {
		const me = person({ isLive: true });
		await me.signedIn();
		const watched = await me.run("scan", "--watch");
		assert.is(watched.code, EXIT.ok, watched.err);
		assert.ok(watched.out.includes("\u001b[2K"));
		assert.match(watched.out, /✓ ai_spot_momentum_strategy\s+ok_found/);
	}),
);

cli(
	"exit codes say what happened: usage, not signed in, absent, ended badly, still running",
	within(30_000, async () => {
		const stranger = person();
		assert.is((await stranger.run()).code, EXIT.usage);
		assert.is((await stranger.run("nonsense")).code, EXIT.usage);
		assert.is((await stranger.run("toString")).code, EXIT.usage);
		const denied = await stranger.run("list");
		assert.is(denied.code, EXIT.denied);
		assert.match(denied.err, /lookout login/);
		const me = person();
		await me.signedIn();
		assert.is((await me.run("results")).code, EXIT.absent, "no scan yet");
		const wrong = await me.run("scan", "--risk", "enormous");
		assert.is(wrong.code, EXIT.usage);
		assert.match(wrong.err, /filter_by_risk_level/);
		runAtOnce = false;
		const started = JSON.parse((await me.run("scan", "--json")).out) as { scan_id: string };
		runAtOnce = true;
		assert.is((await me.run("results")).code, EXIT.later);
		assert.is((await me.run("cancel", started.scan_id, "--reason", "not now")).code, EXIT.ok);
		assert.is((await me.run("watch", started.scan_id)).code, EXIT.scan_ended_badly);
		assert.is((await me.run("results", started.scan_id)).code, EXIT.scan_ended_badly);
		const redriven = await me.run("redrive", started.scan_id, "--watch");
		assert.is(redriven.code, EXIT.ok, redriven.err);
	}),
);

cli(
	"the same key starts nothing twice, and a login that ran out is renewed by itself",
	within(30_000, async () => {
		const me = person();
		await me.signedIn();
		const one = JSON.parse((await me.run("scan", "--force", "--key", "nightly", "--json")).out) as { scan_id: string };
		me.expire();
		const two = JSON.parse((await me.run("scan", "--force", "--key", "nightly", "--json")).out) as { scan_id: string };
		assert.is(two.scan_id, one.scan_id);
		assert.is((await me.run("logout")).code, EXIT.ok);
		assert.is((await me.run("list")).code, EXIT.denied);
	}),
);

cli("foreign text cannot drive the terminal", () => {
	assert.is(harmless("a\u001b[2Jb\u0007\u009bc"), "a\ufffd[2Jb\ufffd\ufffdc");
});

cli("help names every command", async () => {
	const { out, code } = await person().run("--help");
	assert.is(code, EXIT.ok);
	for (const name of ["login", "scan", "watch", "results", "why", "cancel", "redrive", "list", "machines"])
		assert.match(out, new RegExp(`\\b${name}\\b`));
	const scan = await person().run("scan", "--help");
	assert.match(scan.out, /--symbols/);
});

cli.run();
