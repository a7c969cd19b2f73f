import { Around, Empty } from "../../components/states.ts";
import { get, type Json } from "../../lib/api.ts";
import { duration, number, time, words } from "../../lib/format.ts";
import { html, useId, useState } from "../../lib/html.ts";
import { useLoad } from "../../lib/load.ts";
import { linkTo, place, replaceQuery } from "../../lib/router.ts";

/** Accounts a list may hold before a search by e-mail is the better way. */
const PAGES_MAX = 5;
const PAGE = 100;
/** As many as the server tells at once. */
const SCANS = 50;

interface Accounts {
	users: Json[];
	/** There are more than were read. */
	more: boolean;
}

async function readAccounts(signal: AbortSignal): Promise<Accounts> {
	const users: Json[] = [];
	let cursor: string | null = null;
	for (let page = 0; page < PAGES_MAX; page++) {
		const query = new URLSearchParams({ limit: String(PAGE), ...(cursor ? { cursor } : {}) });
		const { body } = await get(`/admin/users?${query}`, { signal });
		users.push(...body.users);
		cursor = body.next_cursor;
		if (cursor === null) return { users, more: false };
	}
	return { users, more: true };
}

/** Scans of one account, each with its way into the inspector: an administrator may diagnose any scan. */
export function People() {
	const id = useId();
	const accounts = useLoad("accounts", readAccounts);
	const [problem, setProblem] = useState<string | null>(null);
	const userId = place.value.query.get("user");
	const nameOf = (user: string) => accounts.value?.users.find(({ user_id }) => user_id === user)?.email ?? user;
	const submit = (event: Event) => {
		event.preventDefault();
		const word = String(new FormData(event.target as HTMLFormElement).get("user")).trim();
		const found = accounts.value?.users.find(({ email, user_id }) => email === word.toLowerCase() || user_id === word);
		setProblem(
			found
				? null
				: accounts.value?.more
					? "Not among the accounts read; enter the account's id."
					: "There is no such account.",
		);
		if (found || accounts.value?.more) replaceQuery({ user: found?.user_id ?? word });
	};
	return html`
		<form class="row" onSubmit=${submit}>
			<label for=${id}>Account</label>
			<input id=${id} name="user" list=${`${id}-users`} required autocomplete="off" spellcheck=${false} placeholder="E-mail or id" />
			<datalist id=${`${id}-users`}>
				${(accounts.value?.users ?? []).map(({ user_id, email, role }) => html`<option key=${user_id} value=${email}>${role}</option>`)}
			</datalist>
			<button type="submit" disabled=${accounts.loading}>Show scans</button>
			${problem && html`<span class="bad" role="alert">${problem}</span>`}
			${accounts.error && html`<span class="bad" role="alert">${accounts.error.message}</span>`}
		</form>
		${userId && html`<${ScansOf} key=${userId} userId=${userId} name=${nameOf(userId)} />`}
	`;
}

function ScansOf({ userId, name }: { userId: string; name: string }) {
	const path = `/scan-diagnostics/scan-history/${encodeURIComponent(userId)}?limit=${SCANS}`;
	const scans = useLoad(path, async (signal) => (await get(path, { signal })).body);
	return html`<h3>Scans of ${name}</h3><${Around} of=${scans} what="the scans" show=${(body: Json) => html`<${Scans} body=${body} />`} />`;
}

function Scans({ body }: { body: Json }) {
	const scans: Json[] = body.scans;
	if (scans.length === 0) return html`<${Empty}>This account has no scans that are kept.<//>`;
	return html`<div class="scroll" tabindex="0" role="region" aria-label="Scans of the account"><table>
		<thead><tr><th>Scan</th><th>Status</th><th>Outcome</th><th class="right">Opportunities</th><th class="right">Took</th><th>Updated</th></tr></thead>
		<tbody>${scans.map(
			(scan) =>
				html`<tr key=${scan.scan_id}>
					<td><a class="mono" href=${linkTo("inspect", scan.scan_id)}>${scan.scan_id}</a></td>
					<td>${words(scan.status)}</td><td>${words(scan.outcome)}</td>
					<td class="right">${number(scan.opportunities_count, 0)}</td><td class="right">${duration(scan.execution_time_ms)}</td>
					<td>${time(scan.last_updated)}</td>
				</tr>`,
		)}</tbody>
	</table></div>
	${body.total_scans > scans.length && html`<p class="muted">The newest ${scans.length} of ${body.total_scans}.</p>`}`;
}
