import { html } from "../lib/html.ts";

export function Home() {
	return html`<h1>Scan</h1>`;
}
