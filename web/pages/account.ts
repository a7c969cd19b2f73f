import { Fact } from "../components/fact.ts";
import { FormField } from "../components/form-field.ts";
import { Around } from "../components/states.ts";
import { get, type Json, post } from "../lib/api.ts";
import { number, time } from "../lib/format.ts";
import { html, useState } from "../lib/html.ts";
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
	const secret = { type: "password", required: true, maxlength: 1024 } as const;
	const present = {
		...secret,
		minlength: 1,
		autocomplete: "current-password",
		error: errorOf(errors, "current_password"),
	};
	const fresh = { ...secret, minlength: 8, autocomplete: "new-password" };
	return html`<form class="card stack half" onSubmit=${submit} aria-label="Change your password">
		<${FormField} name="current" label="Present password" ...${present} />
		<${FormField} name="new" label="New password, at least 8 characters" ...${fresh} error=${errorOf(errors, "new_password")} />
		<${FormField} name="again" label="New password again" ...${fresh} />
		${error && errors.size === 0 && html`<p class="bad" role="alert">${error.message}</p>`}
		<div class="row">
			<button type="submit" class="primary" disabled=${busy}>${busy ? "Changing…" : "Change password"}</button>
			<span role="status" class="good">${done ? "Changed. Your other logins have ended." : ""}</span>
		</div>
	</form>`;
}
