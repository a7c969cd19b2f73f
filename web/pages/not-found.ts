import { html } from "../lib/html.ts";

export function NotFound() {
	return html`
		<h1>There is no such page</h1>
		<p>The address may be mistyped. <a href="#/">Go to the start</a></p>
	`;
}
