import { Fact } from "../components/fact.ts";
import { Around } from "../components/states.ts";
import { get, type Json, post } from "../lib/api.ts";
import { number, time } from "../lib/format.ts";
import { html, useId, useState } from "../lib/html.ts";
import { useLoad } from "../lib/load.ts";
import { errorOf, fieldErrors } from "../lib/problems.ts";

/** Who one is here, and the way to another password. */
export function Account() {
	const loaded = useLoad("me", async (signal) => {
		const [me, status] = await Promise.all([
			get("/auth/me", { signal }),
			get("/opportunities/user-status", { signal }),
		]);
		return { me: me.body, status: status.body.onboarding_status };
	});
	return html`
		<h1>Account</h1>
		<${Around} of=${loaded} what="your account" show=${Me} />
		<h2>Change your password</h2>
		<${Password} />
	`;
}

const Me = ({ me, status }: { me: Json; status: Json }) => html`<dl class="facts">
	<${Fact} label="E-mail">${me.email}<//>
	<${Fact} label="Role">${String(me.role).replaceAll("_", " ")}<//>
	<${Fact} label="Strategies">${number(status.active_strategies, 0)}<//>
	<${Fact} label="Credits earned">${number(status.total_earned_credits, 0)}<//>
	<${Fact} label="Account since">${time(me.created_at)}<//>
	<${Fact} label="Last login">${time(me.last_login)}<//>
</dl>`;

function Password() {
	const id = useId();
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<Error | null>(null);
	const [done, setDone] = useState(false);
	const errors = fieldErrors(error);
	const submit = async (event: Event) => {
		event.preventDefault();
		const form = event.target as HTMLFormElement;
		const fields = new FormData(form);
		const [current_password, new_password] = [String(fields.get("current")), String(fields.get("new"))];
		setDone(false);
		if (new_password !== fields.get("again")) return setError(new Error("The two new passwords are not the same."));
		setBusy(true);
		setError(null);
		try {
			await post("/auth/password", { current_password, new_password });
			form.reset();
			setDone(true);
		} catch (problem) {
			setError(problem as Error);
		} finally {
			setBusy(false);
		}
	};
	const field = (name: string, label: string, complete: string, path: string) => {
		const problem = errorOf(errors, path);
		return html`<label for=${`${id}-${name}`}>${label}</label>
			<input id=${`${id}-${name}`} name=${name} type="password" required minlength=${name === "current" ? 1 : 8}
				maxlength="1024" autocomplete=${complete} aria-invalid=${problem ? "true" : undefined} />
			${problem && html`<small class="bad">${problem}</small>`}`;
	};
	return html`<form class="card stack half" onSubmit=${submit} aria-label="Change your password">
		${field("current", "Present password", "current-password", "current_password")}
		${field("new", "New password, at least 8 characters", "new-password", "new_password")}
		${field("again", "New password again", "new-password", "")}
		${error && errors.size === 0 && html`<p class="bad" role="alert">${error.message}</p>`}
		<div class="row">
			<button type="submit" class="primary" disabled=${busy}>${busy ? "Changing…" : "Change password"}</button>
			<span role="status" class="good">${done ? "Changed. Your other logins have ended." : ""}</span>
		</div>
	</form>`;
}
