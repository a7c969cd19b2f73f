import type { Json } from "../lib/api.ts";
import { duration, number, time, usd, words } from "../lib/format.ts";
import { html } from "../lib/html.ts";
import { linkTo } from "../lib/router.ts";
import { TIERS } from "../lib/words.ts";
import { Fact } from "./fact.ts";

/** What a scan looked at and on what its figures rest. */
export function AboutScan({ body }: { body: Json }) {
	const { metadata, asset_discovery, data_source, execution_time_ms } = body;
	const { capital_assumptions: capital, profit_projection_summary: sum } = metadata;
	const excluded = Object.entries((asset_discovery?.excluded ?? {}) as Record<string, number>);
	return html`<dl class="facts">
		<${Fact} label="Took">${duration(execution_time_ms ?? 1000 * metadata.scan_duration_seconds)}<//>
		<${Fact} label="Source">
			${data_source ? `${data_source.name}${data_source.kind === "live" ? "" : ` (${data_source.kind}, not live)`}` : "no data was read"}
		<//>
		${data_source?.as_of && html`<${Fact} label="Market as of">${time(data_source.as_of)}<//>`}
		<${Fact} label="Capital">
			${usd(capital.capital_usd, 0)}
			${capital.assumed && html` <small class="muted">assumed; <a href="#/portfolio">enter your portfolio</a></small>`}
		<//>
		<${Fact} label="Expected profit of all together">${usd(sum.expected_profit_total_usd)}<//>
		${
			asset_discovery &&
			html`<${Fact} label="Coins looked at">${number(asset_discovery.total_assets, 0)}<//>
				<${Fact} label="Sources">
					${asset_discovery.sources.map(
						({ name, ok, error, assets }: Json) => html`<div class=${ok ? "" : "bad"}>
							${words(name)}: ${ok ? `${number(assets, 0)} coins` : (error ?? "did not answer")}
						</div>`,
					)}
				<//>
				<${Fact} label="Left out before the strategies">
					${excluded.length === 0 ? "none" : excluded.map(([why, count]) => html`<div>${words(why)}: ${count}</div>`)}
				<//>
				<${Fact} label="Traded volumes seen">
					${asset_discovery.asset_tiers.map((id: string) => html`<div>${TIERS.find((tier) => tier.id === id)?.title ?? words(id)}</div>`)}
				<//>`
		}
		${metadata.filters_unmatched.length > 0 && html`<${Fact} label="Filters that met nothing">${metadata.filters_unmatched.join(", ")}<//>`}
		${metadata.redrive_of && html`<${Fact} label="Continues"><a href=${linkTo("scans", metadata.redrive_of)}>an earlier scan</a><//>`}
	</dl>`;
}
