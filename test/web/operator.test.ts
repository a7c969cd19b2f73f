import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { within } from "../support/api.ts";
import { DISCOVER, HOSTILE, type InspectorWorld, startInspectorWorld } from "../support/web-inspector.ts";
import { axeFindings, axeInBothThemes, chromiumPath, fitsWidth, openPage } from "../support/web-page.ts";

const operator = suite("Dashboard: operators' pages, and everybody's in Chromium");

let our: InspectorWorld;

operator(
	"another user's deep link tells nothing, and the operator page is for admins",
	within(60_000, async () => {
		const stranger = await our.api.userWith("trader");
		const { page, complaints } = await our.open(stranger.email, `#/inspect/${our.scanId}?seq=5`, [404]);
		const refusal = await our.api.call("GET", `/api/v1/opportunities/status/${our.scanId}`, {
			token: stranger.token,
		});
		assert.is(refusal.status, 404);
		await page.getByRole("alert").getByText(String(refusal.json["detail"])).waitFor();
		assert.is(await page.getByRole("tablist").count(), 0);
		await page.goto(`${our.origin}/#/operate`);
		await page
			.getByRole("alert")
			.getByText(/^403: this page is for admins/)
			.waitFor();
		assert.equal(complaints, []);
		await page.context().close();
	}),
);

operator(
	"an admin sees the parts, compares two scans and ends a stuck one",
	within(60_000, async () => {
		const admin = await our.api.userWith("admin");
		const queued = await our.api.call("POST", DISCOVER, { token: admin.token });
		const stuckId = String(queued.json["scan_id"]);
		const { page, complaints } = await our.open(admin.email, "#/inspect", [404]);
		await page.getByRole("link", { name: stuckId }).waitFor();
		await page.route("**/scan-diagnostics/stuck-scans", async (route) => {
			const status = await our.api.call("GET", `/api/v1/opportunities/status/${stuckId}`, { token: admin.token });
			const { accepted_at, deadline_at, state } = status.json;
			const evidence = { heartbeat_age_ms: 130_000, last_seq: 1, last_event_type: "scan.created" };
			const stuck = {
				since: accepted_at,
				waiting_on: { kind: "worker", id: HOSTILE, since: accepted_at },
				evidence: { ...evidence, lease_expires_at: null, deadline_at, strategies_running: [] },
				suggested_action: "redrive",
			};
			const scan = { scan_id: stuckId, user_id: "u", current_phase: "queued", accepted_at, deadline_at, stuck };
			const scans = state === "queued" ? [scan] : [];
			await route.fulfill({ json: { success: true, scans, timestamp: accepted_at } });
		});
		await page.getByRole("link", { name: "Operate" }).click();
		await page
			.getByRole("article", { name: `Stuck scan ${stuckId}` })
			.getByText(HOSTILE)
			.waitFor();
		await page.getByText("Redis memory").waitFor();
		await page.getByText("Scans today").waitFor();
		assert.equal(await axeInBothThemes(page), []);
		await page.getByRole("button", { name: "Cancel the scan" }).click();
		await page.getByText("No scan is stuck.").waitFor();
		await page.getByRole("button", { name: "Redrive" }).waitFor();
		const after = await our.api.call("GET", `/api/v1/opportunities/status/${stuckId}`, { token: admin.token });
		assert.is(after.json["state"], "cancelled");
		await page.getByLabel("Account").fill(our.owner.email);
		await page.getByRole("button", { name: "Show scans" }).click();
		await page.getByRole("region", { name: "Scans of the account" }).getByRole("link", { name: our.smallId }).click();
		await page.getByRole("heading", { name: our.smallId }).waitFor();
		await page.getByText(/completed, \d+ entries, ended/).waitFor();
		const [download] = await Promise.all([
			page.waitForEvent("download"),
			page.getByRole("button", { name: "Export as a file" }).click(),
		]);
		const exported = join(our.folder, "others.json");
		await download.saveAs(exported);
		const file = JSON.parse(readFileSync(exported, "utf8"));
		assert.equal([file.scan_id, file.status.state, file.results.http_status], [our.smallId, "complete", 404]);
		await page.goto(`${our.origin}/#/scans/${our.smallId}`);
		await page.getByRole("heading", { name: "Scan not found" }).waitFor();
		await page.getByRole("link", { name: "open it in the inspector" }).click();
		await page.getByRole("heading", { name: our.smallId }).waitFor();
		await page.goto(`${our.origin}/#/compare?a=${stuckId}&b=${our.scanId}`);
		await page.getByRole("heading", { name: /^New opportunities \(\d+\)/ }).waitFor();
		assert.is(await page.evaluate("window.pwned"), undefined);
		assert.equal(complaints, []);
		await page.context().close();
	}),
);

operator(
	"no serious accessibility findings in either theme, no sideways scroll on a phone",
	within(120_000, async () => {
		const admin = await our.api.userWith("admin");
		const login = await openPage(our.browser, our.origin);
		await login.page.goto(our.origin);
		await login.page.getByLabel("E-mail").waitFor();
		assert.equal(await axeInBothThemes(login.page), [], "login");
		await login.page.setViewportSize({ width: 375, height: 700 });
		assert.equal(await axeInBothThemes(login.page), [], "login on a phone");
		assert.ok(await fitsWidth(login.page));
		await login.page.context().close();
		const { page, complaints } = await our.open(admin.email, "#/");
		const pages = [
			...["timeline", "journal", "sequence"].map(
				(tab) => [`#/inspect/${our.smallId}?tab=${tab}`, "[role=tabpanel]"] as const,
			),
			[`#/inspect/${our.smallId}?tab=statechart`, "svg.statechart"],
			[`#/inspect/${our.smallId}?seq=9`, ".state"],
			["#/inspect", "h2"],
			[`#/compare?a=${our.smallId}&b=${our.scanId}`, "dl.pairs"],
			["#/operate", "dl.figures"],
			["#/nowhere", "h1"],
		] as const;
		for (const [width, where] of [
			[1200, "wide"],
			[375, "phone"],
		] as const) {
			await page.setViewportSize({ width, height: 800 });
			for (const [hash, ready] of pages) {
				await page.goto(`${our.origin}/${hash}`);
				await page.locator(ready).first().waitFor();
				// A narrow page has the colours of the wide one.
				const findings = where === "wide" ? await axeInBothThemes(page) : await axeFindings(page);
				assert.equal(findings, [], `${hash}, ${where}`);
				assert.ok(await fitsWidth(page), `${hash} is wider than ${width} px`);
			}
		}
		await page.goto(`${our.origin}/#/inspect/${our.scanId}?tab=journal`);
		await page.locator("table.journal tbody tr").first().waitFor();
		assert.ok(await fitsWidth(page), "a long journal");
		assert.equal(complaints, []);
		await page.context().close();
	}),
);

const chromium = chromiumPath();
if (chromium === null) process.stdout.write("  skipped: no chromium\n");
else {
	operator.before(async () => {
		our = await startInspectorWorld(chromium);
	});
	operator.after(() => our?.stop());
	operator.run();
}
