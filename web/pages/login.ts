import { html, useId, useState } from "../lib/html.ts";
import { farewell, signIn } from "../lib/session.ts";

export function Login() {
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<string | null>(null);
	const id = useId();
	const submit = async (event: Event) => {
		event.preventDefault();
		const form = new FormData(event.target as HTMLFormElement);
		setBusy(true);
		setProblem(null);
		try {
			await signIn(String(form.get("email")), String(form.get("password")));
		} catch (error) {
			setProblem(error instanceof TypeError ? "The server cannot be reached." : (error as Error).message);
		} finally {
			setBusy(false);
		}
	};
	return html`
		<h1>Lookout</h1>
		<p class="muted">Finds opportunities and says why where there are none.</p>
		<form class="card stack" onSubmit=${submit}>
			${farewell.value && html`<p role="status">${farewell.value}</p>`}
			<label for=${`${id}-email`}>E-mail</label>
			<input id=${`${id}-email`} name="email" type="email" autocomplete="username" required autofocus />
			<label for=${`${id}-password`}>Password</label>
			<input id=${`${id}-password`} name="password" type="password" autocomplete="current-password" required minlength="8" />
			${problem && html`<p class="bad" role="alert">${problem}</p>`}
			<button type="submit" class="primary" disabled=${busy}>${busy ? "Signing in…" : "Sign in"}</button>
		</form>
	`;
}
