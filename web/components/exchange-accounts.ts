import { useAct } from "../lib/act.ts";
import { ApiProblem, call, get, type Json, post } from "../lib/api.ts";
import { time } from "../lib/format.ts";
import { html, useState } from "../lib/html.ts";
import { useLoad } from "../lib/load.ts";
import { errorOf, fieldErrors } from "../lib/problems.ts";
import { person } from "../lib/session.ts";
import { FormField } from "./form-field.ts";
import { Around } from "./states.ts";

const STATUS_WORDS: Record<string, [word: string, tone: string]> = {
	ok: ["read", "good"],
	partial: ["read in part", "warn"],
	unread: ["not read yet", "muted"],
	failing: ["cannot be read", "bad"],
	refused: ["refused: the key may do more than read", "bad"],
};

const ERROR_WORDS: Record<string, string> = {
	authentication_failed: "the exchange does not accept the key",
	permission_denied: "the key may not read the account",
	clock_skew: "the server's clock differs from the exchange's",
	rate_limited: "the exchange asks for fewer requests",
	timeout: "the exchange did not answer in time",
	exchange_unavailable: "the exchange cannot be reached",
	key_unreadable: "the key cannot be opened any more; enter it again",
	account_key_too_powerful: "make a key that can only read",
};

/** Accounts whose holdings are read at the exchange for each scan. Their keys go in and never come back. */
export function ExchangeAccounts() {
	const loaded = useLoad("accounts", async (signal) => (await get("/portfolio/accounts", { signal })).body.accounts);
	const mayWrite = person.value?.permissions.includes("portfolio:write") ?? false;
	const show = (accounts: Json[]) =>
		html`<${List} accounts=${accounts} mayWrite=${mayWrite} changed=${loaded.reload} />`;
	return html`
		<h2>Exchange accounts</h2>
		<p>
			What they hold counts to your portfolio: each scan reads it anew. A key has to be one that can only read; one that
			may trade or withdraw is refused. It is kept sealed and is never shown again.
		</p>
		<${Around} of=${loaded} what="your exchange accounts" show=${show} />
		${mayWrite && html`<${Add} added=${loaded.reload} />`}
	`;
}

interface ListProps {
	accounts: Json[];
	mayWrite: boolean;
	changed: () => void;
}

const List = ({ accounts, mayWrite, changed }: ListProps) =>
	accounts.length === 0
		? html`<p>No exchange accounts.</p>`
		: html`<ul class="plain stack" aria-label="Exchange accounts">
			${accounts.map(
				(account) => html`<li key=${account.account_id} class="card stack">
					<${Known} account=${account} />
					${mayWrite && html`<${Remove} account=${account} removed=${changed} />`}
				</li>`,
			)}
		</ul>`;

function Known({ account }: { account: Json }) {
	const [word, tone] = STATUS_WORDS[account.status] ?? [account.status, "muted"];
	const code: string | null = account.last_error;
	return html`<p class="flat">
			<strong>${account.label ?? account.exchange}</strong>${account.label && html` <span class="muted">${account.exchange}</span>`}
			<span class="muted"> key ending in <span class="mono">${account.key_hint}</span></span>
		</p>
		<p class="flat"><span class=${tone}>${word}</span>${code && `: ${ERROR_WORDS[code] ?? code.replaceAll("_", " ")}`}
			<span class="muted">${account.last_read_at ? ` Last read ${time(account.last_read_at)}.` : ""}
			${account.permissions_checked ? " The exchange says that the key can only read." : ""}</span>
		</p>`;
}

function Remove({ account, removed }: { account: Json; removed: () => void }) {
	const [asked, setAsked] = useState(false);
	const { busy, error, act } = useAct();
	const name = account.label ?? `${account.exchange} ${account.key_hint}`;
	const remove = () =>
		act(async () => {
			// One that is gone already is what was wanted.
			await call("DELETE", `/portfolio/accounts/${account.account_id}`, { accept: [404] });
			removed();
		});
	return html`<div class="row">
		${
			asked
				? html`<span>Remove ${name}? Its key is erased.</span>
					<button type="button" disabled=${busy} onClick=${remove}>${busy ? "Removing…" : "Yes, remove it"}</button>
					<button type="button" class="quiet" onClick=${() => setAsked(false)}>No, keep it</button>`
				: html`<button type="button" class="quiet" onClick=${() => setAsked(true)} aria-label=${`Remove ${name}`}>Remove</button>`
		}
		${error && html`<p class="bad flat" role="alert">${error.message}</p>`}
	</div>`;
}

/** Names of the form's fields are those of the request. */
function Add({ added }: { added: () => void }) {
	const { busy, error, act } = useAct();
	const [done, setDone] = useState("");
	const errors = fieldErrors(error);
	const submit = (event: Event) => {
		event.preventDefault();
		const form = event.target as HTMLFormElement;
		const fields = new FormData(form);
		const text = (name: string) => String(fields.get(name) ?? "").trim();
		setDone("");
		act(async () => {
			const optional = { label: text("label") || null, password: String(fields.get("password") ?? "") || null };
			const body = { exchange: text("exchange"), api_key: text("api_key"), secret: text("secret"), ...optional };
			const { account } = (await post("/portfolio/accounts", body)).body;
			form.reset();
			setDone(account.last_error ? "Added, but it could not be read yet." : "Added. The next scan reads it.");
			added();
		});
	};
	const field = (name: string) => ({ name, error: errorOf(errors, name) });
	const secret = { type: "password", autocomplete: "new-password" } as const;
	const refused = error instanceof ApiProblem && error.code === "account_key_too_powerful";
	return html`<form class="card stack half" onSubmit=${submit} aria-label="Add an exchange account">
		<h3 class="flat">Add an account</h3>
		<${FormField} ...${field("exchange")} label="Exchange" required placeholder="binance" maxlength=${40} autocomplete="off" />
		<${FormField} ...${field("label")} label="Your name for it (optional)" maxlength=${100} autocomplete="off" />
		<${FormField} ...${field("api_key")} ...${secret} label="API key" required maxlength=${512} />
		<${FormField} ...${field("secret")} ...${secret} label="Secret" required maxlength=${4096} />
		<${FormField} ...${field("password")} ...${secret} label="Passphrase, where the exchange gives one (optional)" maxlength=${256} />
		${
			error &&
			html`<p class="bad flat" role="alert">${errors.size > 0 ? "Not added. Please mend the fields marked." : `Not added: ${error.message}`}
			${refused ? " Make one at the exchange that can only read." : ""}</p>`
		}
		<div class="row">
			<button type="submit" class="primary" disabled=${busy}>${busy ? "Trying the key…" : "Add"}</button>
			<span role="status" class="good">${done}</span>
		</div>
	</form>`;
}
