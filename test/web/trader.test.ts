import { suite } from "uvu";
import * as assert from "uvu/assert";
import { within } from "../support/api.ts";
import { sampleRow } from "../support/records.ts";
import { axeInBothThemes, chromiumPath } from "../support/web-page.ts";
import { effectsFinding, manyRows, oneUnproven } from "../support/web-scans.ts";
import { startTraderWorld, type TraderWorld } from "../support/web-trader.ts";

const trader = suite("Dashboard: a trader's scans in Chromium");

let our: TraderWorld;
const LIMIT_MS = 60_000;

trader(
	"from the login to the results and back, as a new user",
	within(LIMIT_MS, async () => {
		const { page, complaints } = await our.signedIn();
		assert.equal(await axeInBothThemes(page), [], "start");
		our.started.length = 0;
		await page.getByRole("button", { name: "Start scan" }).click();
		await page.getByRole("heading", { name: "Scan waiting for a worker" }).waitFor();
		let go = () => {};
		const until = new Promise<void>((resolve) => {
			go = resolve;
		});
		const scanId = String(our.started[0]);
		const run = our.world.runtime(effectsFinding({ rows: manyRows(3), unproven: [oneUnproven()], until })).run(scanId);
		await page.getByText("Looking").first().waitFor();
		const bar = page.getByRole("progressbar");
		const early = Number(await bar.getAttribute("aria-valuenow"));
		assert.ok(early > 0 && early < 100, `progress ${early}`);
		assert.is(await page.locator("table.live tbody tr").count(), 14, "all strategies are shown");
		assert.equal(await axeInBothThemes(page), [], "running");
		go();
		await run;
		await page.getByRole("heading", { name: "Scan complete" }).waitFor();
		await page.getByRole("tab", { name: "Opportunities (3)" }).waitFor();
		assert.equal(await axeInBothThemes(page), [], "results");
		await page.getByRole("link", { name: "BTC/USDT" }).click();
		await page.getByRole("heading", { name: "Evidence: grade B" }).waitFor();
		await page.locator(".chart canvas").first().waitFor();
		assert.match(await page.locator("main").innerText(), /90 bars of 1d up to the moment of the scan/);
		const plot = page.getByRole("figure");
		assert.is(await plot.locator("circle.dot").count(), 2, "a dot for each bin");
		assert.match(await plot.innerText(), /180 past forecasts/);
		await plot.getByText("The same as a table").click();
		assert.match(await plot.getByRole("row").nth(1).innerText(), /40 to 50 %\s+120\s+46.*\s+40/);
		assert.equal(await axeInBothThemes(page), [], "row");
		await page.getByRole("button", { name: "Hit rate" }).click();
		await page.getByText("Share of past trades of this kind").waitFor();
		await page.goBack();
		await page.getByRole("tab", { name: "Why not more" }).click();
		assert.match(await page.getByRole("tabpanel").innerText(), /Nearest misses[\s\S]*ETH\/USDT[\s\S]*0\.42[\s\S]*0\.5/);
		assert.equal(await axeInBothThemes(page), [], "why");
		await page.getByRole("tab", { name: "Unproven (1)" }).click();
		await page.getByRole("link", { name: "DOGE/USDT" }).click();
		await page.getByText("Unproven: not enough evidence.").waitFor();
		await page.getByText(/was not measured for this row/).waitFor();
		assert.equal(complaints, []);
	}),
);

trader(
	"progress never goes backwards, rows appear before the end, cancel keeps them, and again starts anew",
	within(LIMIT_MS, async () => {
		const { page, complaints, token } = await our.signedIn({ expected: [409] });
		const scanId = await our.startOf(token);
		await page.goto(`${our.origin}/#/scans/${scanId}`);
		await page.getByRole("heading", { name: "Scan waiting for a worker" }).waitFor();
		const seen = page.evaluate(`new Promise((resolve) => {
			const values = [];
			const timer = setInterval(() => {
				const bar = document.querySelector('[role=progressbar]');
				if (bar) values.push(Number(bar.getAttribute('aria-valuenow')));
				else { clearInterval(timer); resolve(values); }
			}, 20);
		})`) as Promise<number[]>;
		const never = new Promise<void>(() => {});
		const effects = effectsFinding({ rows: manyRows(2) });
		const run = our.world
			.runtime({
				...effects,
				async evaluateStrategy(effect, context) {
					if (effect.strategy_id === "ai_spot_breakout_strategy") {
						await Promise.race([never, new Promise((_, reject) => context.signal.addEventListener("abort", reject))]);
					}
					return (effects.evaluateStrategy as NonNullable<typeof effects.evaluateStrategy>)(effect, context);
				},
			})
			.run(scanId);
		await page.getByRole("button", { name: "BTC/USDT" }).waitFor();
		await page.getByRole("button", { name: "Cancel scan" }).click();
		await page.getByRole("button", { name: "Yes, cancel it" }).click();
		await page.getByRole("heading", { name: "Scan cancelled" }).waitFor();
		await run;
		await page.getByRole("tab", { name: "Found before the end (2)" }).waitFor();
		const values = await seen;
		assert.equal(
			values,
			[...values].sort((a, b) => a - b),
		);
		our.started.length = 0;
		await page.getByText("that did not answer in full again").click();
		await page.getByRole("button", { name: "Run them again" }).click();
		await page.getByRole("heading", { name: "Scan waiting for a worker" }).waitFor();
		await our.world.runtime(effectsFinding({ rows: manyRows(2) })).run(String(our.started[0]));
		await page.getByRole("heading", { name: "Scan complete" }).waitFor();
		await page.getByRole("button", { name: "Start again" }).click();
		await page.getByRole("heading", { name: "Scan waiting for a worker" }).waitFor();
		assert.is(our.started.length, 2);
		assert.equal(complaints, []);
	}),
);

trader(
	"hostile names stay text",
	within(LIMIT_MS, async () => {
		const evil = '<img src=x onerror="window.hurt=1">';
		const { page, complaints } = await our.signedIn();
		await page.getByText("Filters (leave empty").click();
		await page.getByLabel("Symbols").fill(`"><script>window.hurt=1</script>, ${evil}`);
		our.started.length = 0;
		await page.getByRole("button", { name: "Start scan" }).click();
		await page.getByText("SCRIPT").first().waitFor();
		const row = sampleRow("row_0", { symbol: evil, exchange: evil, estimated_timeframe: evil, opportunity_type: evil });
		row.metadata = { ...row.metadata, reasoning: evil, [evil]: evil, indicators: { [evil]: 1 } };
		row.strategy_name = evil;
		await our.world.runtime(effectsFinding({ rows: [row] })).run(String(our.started[0]));
		await page.getByRole("link", { name: evil }).click();
		await page.getByRole("heading", { name: evil }).waitFor();
		await page.goto(`${our.origin}/#/history`);
		await page.getByText("SCRIPT").first().waitFor();
		await page.goto(`${our.origin}/#/scans/${encodeURIComponent(evil)}?tab=${encodeURIComponent(evil)}`);
		await page.getByRole("heading", { name: "Scan not found" }).waitFor();
		assert.is(await page.evaluate("window.hurt"), undefined);
		assert.is(await page.evaluate("document.querySelectorAll('main img, main script').length"), 0);
		assert.equal(
			complaints.filter((line) => !line.includes("404")),
			[],
		);
	}),
);

trader(
	"somebody else's link shows not found, before and after the login",
	within(LIMIT_MS, async () => {
		const owner = await our.api.userWith("trader");
		const scanId = await our.endedScan(owner.token, { rows: manyRows(1) });
		const { page, complaints } = await our.signedIn({ expected: [404] }, `#/scans/${scanId}`);
		await page.getByRole("heading", { name: "Scan not found" }).waitFor();
		await page.goto(`${our.origin}/#/scans/${scanId}/rows/row_0`);
		await page.getByRole("heading", { name: "Scan not found" }).waitFor();
		assert.not.match(await page.locator("body").innerText(), /BTC/);
		assert.equal(await axeInBothThemes(page), []);
		assert.equal(complaints, []);
	}),
);

const chromium = chromiumPath();
if (chromium === null) process.stdout.write("  skipped: no chromium\n");
else {
	trader.before(async () => {
		our = await startTraderWorld(chromium);
	});
	trader.after(() => our?.stop());
	trader.run();
}
