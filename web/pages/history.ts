import { Empty, Loading, Problem } from "../components/states.ts";
import { get, type Json } from "../lib/api.ts";
import { type StrategyInfo, strategies } from "../lib/catalogue.ts";
import { duration, number, time } from "../lib/format.ts";
import { html, useEffect, useState } from "../lib/html.ts";
import { useLoad } from "../lib/load.ts";
import { errorOf, fieldErrors } from "../lib/problems.ts";
import { linkTo, place, replaceQuery } from "../lib/router.ts";
import { mayScan } from "../lib/session.ts";
import { filterWords, outcomeWords, stateWords } from "../lib/words.ts";

const PAGE = 20;
const FIELDS = ["status", "strategy", "symbol", "from", "to"] as const;

interface Found {
	scans: Json[];
	cursor: string | null;
	loading: boolean;
	error: Error | null;
}

const NOTHING: Found = { scans: [], cursor: null, loading: true, error: null };

/** The person's scans, newest first; what is searched for stands in the address. */
export function History() {
	const list = useLoad("strategies", strategies);
	const { query } = place.value;
	const wish = new URLSearchParams(
		FIELDS.flatMap((name) => (query.get(name) ? [[name, query.get(name) as string]] : [])),
	);
	const [found, more] = useScans(wish.toString());
	const nameOf = (id: string) => list.value?.find((entry) => entry.id === id)?.name ?? id;
	return html`
		<h1>History</h1>
		<${Search} wish=${wish} strategies=${list.value ?? []} error=${found.error} />
		${found.error && fieldErrors(found.error).size === 0 && html`<${Problem} error=${found.error} retry=${more} />`}
		${
			found.scans.length > 0
				? html`<ul class="plain scans" aria-label="Scans">${found.scans.map((scan) => html`<${Entry} key=${scan.scan_id} scan=${scan} nameOf=${nameOf} />`)}</ul>`
				: !found.loading &&
					!found.error &&
					(
						wish.size > 0
							? html`<${Empty}>No scan fits. <a href="#/history">Show all</a><//>`
							: html`<${Empty}>You have not scanned yet. ${mayScan.value && html`<a href="#/">Start your first scan</a>`}<//>`
					)
		}
		${found.loading && html`<${Loading} what="your scans" />`}
		${found.cursor && !found.loading && html`<button type="button" onClick=${more}>Show older ones</button>`}
	`;
}

/** Pages that fit, one after the other; a new wish begins anew. */
function useScans(wish: string): [Found, () => void] {
	const [found, setFound] = useState(NOTHING);
	const read = async (before: Found, signal?: AbortSignal) => {
		setFound({ ...before, loading: true, error: null });
		const query = new URLSearchParams(wish);
		query.set("limit", String(PAGE));
		if (before.cursor) query.set("cursor", before.cursor);
		try {
			const { body } = await get(`/opportunities/scans?${query}`, signal ? { signal } : {});
			if (signal?.aborted) return;
			setFound({ scans: [...before.scans, ...body.scans], cursor: body.next_cursor, loading: false, error: null });
		} catch (error) {
			if (!signal?.aborted) setFound({ ...before, loading: false, error: error as Error });
		}
	};
	useEffect(() => {
		const abort = new AbortController();
		void read(NOTHING, abort.signal);
		return () => abort.abort();
	}, [wish]);
	return [found, () => void read(found)];
}

function Search({
	wish,
	strategies: list,
	error,
}: {
	wish: URLSearchParams;
	strategies: StrategyInfo[];
	error: Error | null;
}) {
	const errors = fieldErrors(error);
	const first = [...errors.values()][0];
	const submit = (event: Event) => {
		event.preventDefault();
		const form = new FormData(event.target as HTMLFormElement);
		const text = (name: string) => String(form.get(name) ?? "").trim() || null;
		replaceQuery({
			status: text("status"),
			strategy: text("strategy"),
			symbol: text("symbol"),
			from: dayStart(text("from_day"), 0),
			to: dayStart(text("to_day"), 1),
		});
	};
	const option = (name: string, value: string, title: string) =>
		html`<option value=${value} selected=${(wish.get(name) ?? "") === value}>${title}</option>`;
	return html`<form class="controls" role="search" aria-label="Search your scans" onSubmit=${submit}>
		<label><span class="muted">State</span>
			<select name="status">
				${option("status", "", "all")}${option("status", "scanning", "running")}${option("status", "complete", "complete")}
				${option("status", "failed", "failed")}${option("status", "cancelled", "cancelled")}
			</select>
		</label>
		<label><span class="muted">Strategy</span>
			<select name="strategy">
				${option("strategy", "", "all")}
				${list.map(({ id, name }) => option("strategy", id, name))}
			</select>
		</label>
		<label class="grow"><span class="muted">Symbol</span>
			<input name="symbol" defaultValue=${wish.get("symbol") ?? ""} maxlength="60" autocomplete="off" placeholder="BTC or ETH/USDT"
				aria-invalid=${errorOf(errors, "query.symbol") ? "true" : undefined} />
		</label>
		<label><span class="muted">From</span><input type="date" name="from_day" defaultValue=${dayOf(wish.get("from"), 0)} /></label>
		<label><span class="muted">To</span><input type="date" name="to_day" defaultValue=${dayOf(wish.get("to"), 1)} /></label>
		<div class="at-end"><button type="submit">Search</button></div>
		${first && html`<p class="bad flat" role="alert">${error?.message}</p>`}
	</form>`;
}

const DAY_MS = 86_400_000;

/** Midnight of a day where the person is, `after` days later, as the server reads it. */
function dayStart(day: string | null, after: number): string | null {
	if (!day) return null;
	const [year, month, date] = day.split("-").map(Number);
	return new Date(year ?? 0, (month ?? 1) - 1, (date ?? 1) + after).toISOString();
}

function dayOf(iso: string | null, after: number): string {
	const ms = Date.parse(iso ?? "");
	if (Number.isNaN(ms)) return "";
	const at = new Date(ms - after * DAY_MS + DAY_MS / 4);
	const two = (n: number) => String(n).padStart(2, "0");
	return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function Entry({ scan, nameOf }: { scan: Json; nameOf: (id: string) => string }) {
	const { title, tone } = stateWords(scan.state);
	const filters = filterWords(scan.filters, nameOf);
	const running = scan.status === "scanning";
	return html`<li class="card">
		<div class="row spread">
			<a href=${linkTo("scans", scan.scan_id)}>${time(scan.accepted_at)}</a>
			<span class=${tone}>${title}${scan.outcome ? `: ${outcomeWords(scan.outcome).toLowerCase()}` : ""}</span>
		</div>
		<div class="muted">
			${running ? `${scan.progress.percentage} % done, ` : ""}${number(scan.total_opportunities, 0)} found,
			${number(scan.unproven_count, 0)} unproven${scan.duration_ms === null ? "" : `, took ${duration(scan.duration_ms)}`}
			${scan.redrive_of ? " · continues an earlier scan" : ""}${scan.superseded_by ? " · replaced by a newer scan" : ""}
			· ${filters.length > 0 ? filters.join(" · ") : "no filters"}
		</div>
	</li>`;
}
