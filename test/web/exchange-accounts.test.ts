import { suite } from "uvu";
import * as assert from "uvu/assert";
import { within } from "../support/api.ts";
import { axeInBothThemes, chromiumPath, fitsWidth } from "../support/web-page.ts";
import { startTraderWorld, type TraderWorld } from "../support/web-trader.ts";

const accounts = suite("Dashboard: exchange accounts in Chromium");

let our: TraderWorld;
const LIMIT_MS = 60_000;
const SECRETS = ["strong-key-9999", "first-key-1234", "first-secret", "third-part"];

for (const width of [1200, 375]) {
	accounts(
		`are added by a key that never comes back, listed and removed (${width} px wide)`,
		within(LIMIT_MS, async () => {
			const { page, complaints, token } = await our.signedIn({ width, expected: [422] }, "#/portfolio");
			await page.getByText("No exchange accounts.").waitFor();
			const form = page.getByRole("form", { name: "Add an exchange account" });
			const add = form.getByRole("button", { name: "Add" });
			const fill = async (exchange: string, name: string) => {
				await form.getByLabel("Exchange", { exact: true }).fill(exchange);
				await form.getByLabel("API key").fill(name);
				await form.getByLabel("Secret").fill("first-secret");
			};
			for (const label of ["API key", "Secret", "Passphrase"])
				assert.is(await form.getByLabel(label).getAttribute("type"), "password", label);

			await fill("No Such Exchange", "first key 1234");
			await add.click();
			await form.getByText("expected the name of an exchange").waitFor();
			await form.getByText("8 to 512 printable characters").waitFor();
			assert.is(await form.locator('[aria-invalid="true"]').count(), 2);
			assert.ok(await fitsWidth(page));
			assert.equal(await axeInBothThemes(page), []);

			await fill("binance", "strong-key-9999");
			await add.click();
			await form.getByText("Make one at the exchange that can only read.").waitFor();
			assert.is(await page.locator("li.card").count(), 0);

			await fill("binance", "first-key-1234");
			await form.getByLabel("Your name for it").fill("Savings");
			await form.getByLabel("Passphrase").fill("third-part");
			await add.click();
			await form.getByText("Added. The next scan reads it.").waitFor();
			const known = page.getByRole("list", { name: "Exchange accounts" }).getByRole("listitem");
			await known.getByText("1234").waitFor();
			assert.match(await known.innerText(), /Savings binance key ending in 1234/);
			assert.match(await known.innerText(), /can only read/);
			for (const label of ["API key", "Secret", "Passphrase"])
				assert.is(await form.getByLabel(label).inputValue(), "", `${label} is still in its field`);
			assert.ok(await fitsWidth(page));
			assert.equal(await axeInBothThemes(page), []);

			await page.reload();
			await known.getByText("1234").waitFor();
			const shown = await page.content();
			for (const secret of SECRETS) assert.not.ok(shown.includes(secret), secret);
			await known.getByRole("button", { name: "Remove Savings" }).click();
			await known.getByRole("button", { name: "No, keep it" }).click();
			await known.getByRole("button", { name: "Remove Savings" }).click();
			assert.equal(await axeInBothThemes(page), []);
			await known.getByRole("button", { name: "Yes, remove it" }).click();
			await page.getByText("No exchange accounts.").waitFor();
			const left = await our.api.call("GET", "/api/v1/portfolio/accounts", { token });
			assert.equal(left.json["accounts"], []);
			assert.equal(complaints, []);
		}),
	);
}

accounts(
	"an account whose key the exchange does not accept says so",
	within(LIMIT_MS, async () => {
		const { page, complaints, token } = await our.signedIn({}, "#/portfolio");
		const body = { exchange: "binance", api_key: "broken-key-5678", secret: "other-secret" };
		await our.api.call("POST", "/api/v1/portfolio/accounts", { token, body });
		await page.reload();
		await page.getByText("cannot be read").waitFor();
		await page.getByText("the exchange does not accept the key").waitFor();
		assert.equal(complaints, []);
	}),
);

const chromium = chromiumPath();
if (chromium === null) process.stdout.write("  skipped: no chromium\n");
else {
	accounts.before(async () => {
		our = await startTraderWorld(chromium);
	});
	accounts.after(() => our?.stop());
	accounts.run();
}
