import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PASSWORD, within } from "../support/api.ts";
import { sampleRow } from "../support/records.ts";
import { axeInBothThemes, chromiumPath, cpuMsOf, fitsWidth } from "../support/web-page.ts";
import { manyRows } from "../support/web-scans.ts";
import { startTraderWorld, type TraderWorld } from "../support/web-trader.ts";

const trader = suite("Dashboard: a trader's other pages in Chromium");

let our: TraderWorld;
const LIMIT_MS = 60_000;

trader(
	"a thousand rows are sorted, filtered and paged at once",
	within(LIMIT_MS, async () => {
		const { page, complaints, token } = await our.signedIn();
		const scanId = await our.endedScan(token, { rows: manyRows(1_000) });
		await page.goto(`${our.origin}/#/scans/${scanId}`);
		await page.getByRole("tab", { name: "Opportunities (1000)" }).waitFor();
		assert.is(await page.locator("table.rows tbody tr").count(), 50);
		const took = await cpuMsOf(page, async () => {
			await page.getByRole("button", { name: "Profit", exact: true }).click();
			await page.locator("table.rows tbody tr").first().getByText("$1,000.00").waitFor();
		});
		assert.ok(took < 1_000, `sorting took ${took} ms of the page's processor time`);
		assert.is(await page.locator("table.rows tbody tr").count(), 50);
		await page.getByRole("searchbox", { name: "Search" }).fill("coin77");
		await page.getByText("11 of 1000").waitFor();
		await page.getByRole("searchbox", { name: "Search" }).fill("");
		await page.getByRole("button", { name: "Next" }).click();
		await page.getByText("Page 2 of 20").waitFor();
		await page.locator("table.rows tbody th a").first().click();
		await page.getByRole("heading", { name: /Evidence/ }).waitFor();
		await page.goBack();
		await page.getByText("Page 2 of 20").waitFor();
		assert.equal(complaints, []);
	}),
);

trader(
	"the portfolio: faults at their fields, a conflict that loses nothing, and it is kept",
	within(LIMIT_MS, async () => {
		const { page, complaints, token } = await our.signedIn({ expected: [412, 422] }, "#/portfolio");
		await page.getByText("You have entered nothing yet.").waitFor();
		await page.getByRole("button", { name: "Add a position" }).click();
		await page.getByLabel("Symbol").fill("nonsense");
		await page.getByLabel("Quantity").fill("two");
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("expected a unified symbol").waitFor();
		assert.is(await page.locator('[aria-invalid="true"]').count(), 2);
		await page.getByLabel("Symbol").fill("BTC/USDT");
		await page.getByLabel("Quantity").fill("0,5");
		const body = { positions: [{ symbol: "ETH/USDT", quantity: 3 }], cash_usd: 7 };
		await our.api.call("PUT", "/api/v1/portfolio", { token, body });
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("changed elsewhere in between").waitFor();
		assert.match(await page.getByText("changed elsewhere in between").locator("..").innerText(), /3 ETH\/USDT/);
		assert.is(await page.getByLabel("Symbol").inputValue(), "BTC/USDT", "what was typed is still there");
		assert.equal(await axeInBothThemes(page), []);
		await page.getByRole("button", { name: "Keep mine" }).click();
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("Saved. The next scan uses it.").waitFor();
		const kept = await our.api.call("GET", "/api/v1/portfolio", { token });
		assert.equal(kept.json["positions"], [{ symbol: "BTC/USDT", quantity: 0.5, entry_price: null }]);
		assert.equal(complaints, []);
	}),
);

trader(
	"history, changes since the last scan and the account, on a phone",
	within(LIMIT_MS, async () => {
		const { page, complaints, token } = await our.signedIn({ width: 375, expected: [401] });
		await our.endedScan(token, { rows: manyRows(3) });
		const body = { force_refresh: true };
		const scanId = await our.endedScan(
			token,
			{ rows: [...manyRows(2), sampleRow("fresh", { symbol: "NEW/USDT" })] },
			body,
		);
		for (const [hash, ready] of [
			["#/history", "Show all|3 found"],
			["#/portfolio", "You have entered nothing yet"],
			["#/account", "trader"],
			["#/", "Your newest scan"],
			[`#/scans/${scanId}`, "Start again"],
			[`#/scans/${scanId}?tab=why`, "Each candidate is counted once"],
			[`#/scans/${scanId}?tab=about`, "Coins looked at"],
			[`#/scans/${scanId}/rows/row_0`, "Method and inputs"],
			[`#/scans/${scanId}?tab=changes`, "Compared with"],
		] as const) {
			await page.goto(`${our.origin}/${hash}`);
			await page.locator("main").getByText(new RegExp(ready)).first().waitFor();
			assert.ok(await fitsWidth(page), `${hash} is wider than the phone`);
			assert.equal(await axeInBothThemes(page), [], hash);
		}
		await page.getByText("New (1)").waitFor();
		await page.getByText("Gone (1)").waitFor();
		await page.goto(`${our.origin}/#/history`);
		await page.getByLabel("Symbol").fill("NEW");
		await page.getByRole("button", { name: "Search" }).click();
		await page.locator("ul.scans > li").nth(1).waitFor({ state: "detached" });
		await page.locator("ul.scans > li").first().waitFor();
		assert.is(await page.locator("ul.scans > li").count(), 1);
		await page.goto(`${our.origin}/#/account`);
		await page.getByLabel("Present password").fill("not the password");
		await page.getByLabel("New password, at least 8 characters").fill("a new password");
		await page.getByLabel("New password again").fill("a new password");
		await page.getByRole("button", { name: "Change password" }).click();
		await page.getByRole("alert").waitFor();
		await page.getByLabel("Present password").fill(PASSWORD);
		await page.getByRole("button", { name: "Change password" }).click();
		await page.getByText("Changed. Your other logins have ended.").waitFor();
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
