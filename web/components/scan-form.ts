import type { Json } from "../lib/api.ts";
import type { StrategyInfo } from "../lib/catalogue.ts";
import { html, useId, useState } from "../lib/html.ts";
import { errorOf, fieldErrors } from "../lib/problems.ts";
import { go, linkTo } from "../lib/router.ts";
import { startScan } from "../lib/scan-api.ts";
import { RISK_LEVELS, TIERS, TIMEFRAMES } from "../lib/words.ts";

/** The form that starts a scan. `initial` holds canonical filters to begin with. */
export function ScanForm({ strategies, initial }: { strategies: StrategyInfo[]; initial: Json }) {
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<Error | null>(null);
	const errors = fieldErrors(error);
	const submit = async (event: Event) => {
		event.preventDefault();
		const form = new FormData(event.target as HTMLFormElement);
		setBusy(true);
		setError(null);
		try {
			const started = await startScan(filtersOf(form), form.has("force"));
			go(`${linkTo("scans", started.scanId)}${started.fromCache ? "?reused=1" : ""}`);
		} catch (problem) {
			setError(problem as Error);
			setBusy(false);
		}
	};
	const owned = strategies.filter((strategy) => strategy.owned);
	return html`
		<form class="card stack" onSubmit=${submit} aria-label="Start a scan">
			<p>
				Looks through the market with ${owned.length === 1 ? "your one strategy" : `your ${owned.length} strategies`} and
				tells what is worth a look, how sure that is, and why the rest is not. Nothing is bought or sold.
			</p>
			<div class="row">
				<button type="submit" class="primary" disabled=${busy}>${busy ? "Starting…" : "Start scan"}</button>
				<label class="tick"><input type="checkbox" name="force" /> Fresh: do not reuse a result of the last minute</label>
			</div>
			${error && html`<p class="bad" role="alert">${error.message}</p>`}
			<details open=${Object.keys(initial).length > 0 || errors.size > 0}>
				<summary>Filters (leave empty to look at everything)</summary>
				<div class="filters">
					<${Strategies} strategies=${strategies} chosen=${initial.strategy_ids ?? []} />
					<${Text} name="symbols" label="Symbols" hint="For example BTC, ETH/USDT" errors=${errors}
						value=${(initial.symbols ?? []).join(", ")} />
					<${Ticks} name="filter_by_risk_level" label="Risk" chosen=${initial.filter_by_risk_level ?? []}
						options=${RISK_LEVELS.map((id) => ({ id, title: id.replaceAll("_", " ") }))} />
					<${Ticks} name="asset_tiers" label="Traded in 24 hours, USD" chosen=${initial.asset_tiers ?? []} options=${TIERS} />
					<${Timeframes} chosen=${initial.preferred_timeframes ?? []} />
					<${Amount} name="min_profit_potential" label="Least expected profit, USD" min="0" errors=${errors}
						value=${initial.min_profit_potential} />
					<${Amount} name="max_required_capital" label="Most capital needed, USD" min="0.01" errors=${errors}
						value=${initial.max_required_capital} />
				</div>
			</details>
		</form>
	`;
}

const LISTS = ["strategy_ids", "filter_by_risk_level", "asset_tiers", "preferred_timeframes"];
const AMOUNTS = ["min_profit_potential", "max_required_capital"];

/** What was filled in; what is empty is no filter. */
function filtersOf(form: FormData): Json {
	const filters: Json = {};
	for (const name of LISTS) if (form.has(name)) filters[name] = form.getAll(name);
	const symbols = String(form.get("symbols") ?? "").trim();
	if (symbols) filters["symbols"] = symbols;
	for (const name of AMOUNTS) {
		const text = String(form.get(name) ?? "").trim();
		if (text) filters[name] = Number(text);
	}
	return filters;
}

function Strategies({ strategies, chosen }: { strategies: StrategyInfo[]; chosen: string[] }) {
	return html`<fieldset class="wide">
		<legend>Strategies</legend>
		<div class="ticks">
			${strategies.map(
				({ id, name, description, owned }) => html`<label class="tick">
					<input type="checkbox" name="strategy_ids" value=${id} defaultChecked=${chosen.includes(id)} disabled=${!owned} />
					<span class=${owned ? "" : "muted"}>
						${name}${owned ? "" : " (not yours)"}<br /><small class="muted">${description}</small>
					</span>
				</label>`,
			)}
		</div>
	</fieldset>`;
}

interface Option {
	id: string;
	title: string;
}

function Ticks({ name, label, options, chosen }: { name: string; label: string; options: Option[]; chosen: string[] }) {
	return html`<fieldset>
		<legend>${label}</legend>
		<div class="ticks">
			${options.map(
				({ id, title }) => html`<label class="tick">
					<input type="checkbox" name=${name} value=${id} defaultChecked=${chosen.includes(id)} /> ${title}
				</label>`,
			)}
		</div>
	</fieldset>`;
}

/** A scan started elsewhere may have asked for spans that are no choice here: they stay choosable. */
function Timeframes({ chosen }: { chosen: string[] }) {
	const others = chosen.filter((id) => !TIMEFRAMES.some((option) => option.id === id));
	const options = [...TIMEFRAMES, ...others.map((id) => ({ id, title: id }))];
	return html`<${Ticks} name="preferred_timeframes" label="Holding time" options=${options} chosen=${chosen} />`;
}

interface FieldProps {
	name: string;
	label: string;
	errors: Map<string, string>;
	value: unknown;
	hint?: string;
	min?: string;
}

function Text({ name, label, hint, errors, value }: FieldProps) {
	const id = useId();
	const problem = errorOf(errors, name);
	return html`<div class="stack">
		<label for=${id}>${label}</label>
		<input id=${id} name=${name} defaultValue=${value} autocomplete="off" maxlength="5000"
			aria-invalid=${problem ? "true" : undefined} aria-describedby=${`${id}-hint`} />
		<small id=${`${id}-hint`} class=${problem ? "bad" : "muted"}>${problem ?? hint}</small>
	</div>`;
}

function Amount({ name, label, errors, value, min }: FieldProps) {
	const id = useId();
	const problem = errorOf(errors, name);
	return html`<div class="stack">
		<label for=${id}>${label}</label>
		<input id=${id} name=${name} type="number" min=${min} step="any" defaultValue=${value ?? ""}
			aria-invalid=${problem ? "true" : undefined} aria-describedby=${problem ? `${id}-problem` : undefined} />
		${problem && html`<small id=${`${id}-problem`} class="bad">${problem}</small>`}
	</div>`;
}
