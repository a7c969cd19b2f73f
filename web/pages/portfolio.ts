import { ExchangeAccounts } from "../components/exchange-accounts.ts";
import { Around } from "../components/states.ts";
import { ApiProblem, call, get, type Json } from "../lib/api.ts";
import { time } from "../lib/format.ts";
import { html, useState } from "../lib/html.ts";
import { useLoad } from "../lib/load.ts";
import { fieldErrors } from "../lib/problems.ts";
import { person } from "../lib/session.ts";

/** Fields as they are typed; they become numbers when they are saved. */
interface Line {
	key: number;
	symbol: string;
	quantity: string;
	entry: string;
}

interface Held {
	body: Json;
	etag: string;
}

const read = async (signal?: AbortSignal): Promise<Held> => {
	const { body, headers } = await get("/portfolio", signal ? { signal } : {});
	return { body, etag: headers.get("etag") ?? "" };
};

/** What the person holds, as the scans see it. */
export function Portfolio() {
	const loaded = useLoad("portfolio", read);
	return html`
		<h1>Portfolio</h1>
		<p>
			Scans use it for three things: the risk check, the portfolio check and hedges look at your positions, and sizes fit
			your capital. Without it 10,000 USD are assumed. Nothing here is ever traded.
		</p>
		<${Around} of=${loaded} what="your portfolio" show=${(held: Held) => html`<${Editor} held=${held} />`} />
		<${ExchangeAccounts} />
	`;
}

let keys = 0;
const lineOf = (position: Json | null): Line => ({
	key: ++keys,
	symbol: position?.symbol ?? "",
	quantity: position ? String(position.quantity) : "",
	entry: position?.entry_price == null ? "" : String(position.entry_price),
});

/** Text that is no number goes to the server as it is, which then says so at its field. */
const numberOf = (text: string): unknown => {
	const trimmed = text.trim();
	if (trimmed === "") return null;
	const value = Number(trimmed.replace(",", "."));
	return Number.isNaN(value) ? trimmed : value;
};

const bodyOf = (lines: Line[], cash: string): Json => ({
	positions: lines.map(({ symbol, quantity, entry }) => ({
		symbol: symbol.trim(),
		quantity: numberOf(quantity),
		entry_price: numberOf(entry),
	})),
	cash_usd: numberOf(cash) ?? 0,
});

interface Draft {
	held: Held;
	lines: Line[];
	cash: string;
	changed: boolean;
}

/** What exchange accounts hold is read there and never entered here. */
const entered = (body: Json): Json[] => (body.positions as Json[]).filter((position) => position.account_id == null);

const draftOf = (held: Held): Draft => ({
	held,
	lines: entered(held.body).map(lineOf),
	cash: String(held.body.cash_usd),
	changed: false,
});

function Editor({ held }: { held: Held }) {
	const [draft, setDraft] = useState(() => draftOf(held));
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<Error | null>(null);
	const [saved, setSaved] = useState(false);
	const mayWrite = person.value?.permissions.includes("portfolio:write") ?? false;
	const errors = fieldErrors(error);
	const edit = (next: Partial<Draft>) => {
		setDraft({ ...draft, ...next, changed: true });
		setSaved(false);
	};
	const editLine = (key: number, next: Partial<Line>) =>
		edit({ lines: draft.lines.map((line) => (line.key === key ? { ...line, ...next } : line)) });
	const save = async (event: Event) => {
		event.preventDefault();
		setBusy(true);
		setError(null);
		try {
			const { body, headers } = await call("PUT", "/portfolio", {
				body: bodyOf(draft.lines, draft.cash),
				headers: { "if-match": draft.held.etag },
			});
			setDraft(draftOf({ body, etag: headers.get("etag") ?? "" }));
			setSaved(true);
		} catch (problem) {
			setError(problem as Error);
		} finally {
			setBusy(false);
		}
	};
	const take = (next: Draft) => {
		setDraft(next);
		setError(null);
	};
	const conflict = error instanceof ApiProblem && error.status === 412;
	const { version, updated_at } = draft.held.body;
	return html`<form class="stack" onSubmit=${save} aria-label="Portfolio">
		<p class="muted flat">${updated_at === null ? "You have entered nothing yet." : `Version ${version}, saved ${time(updated_at)}.`}</p>
		<${Lines} lines=${draft.lines} errors=${errors} edit=${editLine} mayWrite=${mayWrite}
			remove=${(key: number) => edit({ lines: draft.lines.filter((line) => line.key !== key) })} />
		${mayWrite && html`<div><button type="button" onClick=${() => edit({ lines: [...draft.lines, lineOf(null)] })}>Add a position</button></div>`}
		<${Field} label="Cash, USD" value=${draft.cash} error=${errors.get("cash_usd")} disabled=${!mayWrite} inputmode="decimal"
			onInput=${(cash: string) => edit({ cash })} />
		${conflict && html`<${Conflict} draft=${draft} take=${take} />`}
		${error && !conflict && html`<p class="bad flat" role="alert">${errors.size > 0 ? "Not saved. Please mend the fields marked." : `Not saved: ${error.message}`}</p>`}
		${
			mayWrite
				? html`<div class="row">
			<button type="submit" class="primary" disabled=${busy || !draft.changed}>${busy ? "Saving…" : "Save"}</button>
			<span role="status" class="good">${saved ? "Saved. The next scan uses it." : ""}</span>
		</div>`
				: html`<p class="muted">Your account may look at the portfolio but not change it.</p>`
		}
	</form>`;
}

/** Somebody saved in between: both versions are at hand, nothing is overwritten unasked. */
function Conflict({ draft, take }: { draft: Draft; take: (next: Draft) => void }) {
	const theirs = useLoad("theirs", read);
	if (!theirs.value)
		return html`<p class="warn" role="alert">The portfolio was changed elsewhere meanwhile. Reading that version…</p>`;
	const { body } = theirs.value;
	return html`<div class="card stack lit" role="alert">
		<p class="flat">
			<strong>Not saved: the portfolio was changed elsewhere in between.</strong> The other version of ${time(body.updated_at)} has
			${entered(body).length} positions (${
				entered(body)
					.map(({ symbol, quantity }) => `${quantity} ${symbol}`)
					.join(", ") || "none"
			})
			and ${String(body.cash_usd)} USD.
		</p>
		<div class="row">
			<button type="button" onClick=${() => take({ ...draft, held: theirs.value as Held, changed: true })}>Keep mine, to save over it</button>
			<button type="button" onClick=${() => take(draftOf(theirs.value as Held))}>Take the other version</button>
		</div>
	</div>`;
}

interface LinesProps {
	lines: Line[];
	errors: Map<string, string>;
	edit: (key: number, next: Partial<Line>) => void;
	remove: (key: number) => void;
	mayWrite: boolean;
}

function Lines({ lines, errors, edit, remove, mayWrite }: LinesProps) {
	if (lines.length === 0) return html`<p class="flat">No positions.</p>`;
	return html`<ul class="plain positions">
		${lines.map(({ key, symbol, quantity, entry }, i) => {
			const at = (name: string) =>
				errors.get(`positions.${i}.${name}`) ?? (name === "symbol" ? errors.get(`positions.${i}`) : undefined);
			return html`<li key=${key} class="position">
				<${Field} label="Symbol" value=${symbol} error=${at("symbol")} disabled=${!mayWrite} required placeholder="BTC/USDT"
					onInput=${(text: string) => edit(key, { symbol: text })} />
				<${Field} label="Quantity" value=${quantity} error=${at("quantity")} disabled=${!mayWrite} required inputmode="decimal"
					onInput=${(text: string) => edit(key, { quantity: text })} />
				<${Field} label="Bought at (optional)" value=${entry} error=${at("entry_price")} disabled=${!mayWrite} inputmode="decimal"
					onInput=${(text: string) => edit(key, { entry: text })} />
				${mayWrite && html`<div class="at-end"><button type="button" class="quiet" onClick=${() => remove(key)} aria-label=${`Remove ${symbol || "the new position"}`}>Remove</button></div>`}
			</li>`;
		})}
	</ul>`;
}

/** A checker's words for a field that holds no number; everything else it says is plain already. */
const plain = (error: string): string => (/expected number/.test(error) ? "enter a number" : error);

interface FieldProps {
	label: string;
	value: string;
	error?: string;
	disabled: boolean;
	required?: boolean;
	placeholder?: string;
	inputmode?: string;
	onInput: (text: string) => void;
}

function Field({ label, value, error, disabled, required = false, placeholder, inputmode, onInput }: FieldProps) {
	return html`<label class="field">
		<span class="muted">${label}</span>
		<input value=${value} disabled=${disabled} required=${required} placeholder=${placeholder} inputmode=${inputmode} autocomplete="off"
			aria-invalid=${error ? "true" : undefined} onInput=${(event: Event) => onInput((event.target as HTMLInputElement).value)} />
		${error && html`<small class="bad" role="alert">${plain(error)}</small>`}
	</label>`;
}
