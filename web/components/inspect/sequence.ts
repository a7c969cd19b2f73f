import { clockTime } from "../../lib/format.ts";
import { html, useMemo, useState } from "../../lib/html.ts";
import { Empty } from "../states.ts";
import { namesIn } from "./fold.ts";
import { type Message, messagesOf, PARTIES } from "./messages.ts";
import type { ScanSource } from "./source.ts";

const PAGE = 150;
const TIME = 110;
const GAP = 225;
const TOP = 36;
const ROW = 30;
/** Of a letter at an arrow, px. */
const LETTER = 6.5;

const x = (party: Message["from"]): number => TIME + 50 + PARTIES.indexOf(party) * GAP;

/** Who told whom what, from top to bottom. */
export function Sequence({ source }: { source: ScanSource }) {
	const messages = useMemo(() => messagesOf(source.entries, namesIn(source.entries)), [source.entries]);
	const [shown, setShown] = useState(PAGE);
	if (messages.length === 0) return html`<${Empty}>No message yet.<//>`;
	const drawn = messages.slice(0, shown);
	const width = x("Strategies") + 80;
	const height = TOP + drawn.length * ROW + 20;
	return html`
		<p class="muted">Messages as the journal holds them; entries that stay inside the machine are left out.</p>
		<div class="scroll" tabindex="0" role="region" aria-label="Sequence of messages, scrolls sideways">
			<svg class="sequence" width=${width} height=${height} role="img" aria-label="Sequence of messages; the list below says the same">
				<defs>
					<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse">
						<path d="M0 0 L8 4 L0 8 z" class="tip" />
					</marker>
				</defs>
				${PARTIES.map(
					(party) =>
						html`<g><line class="life" x1=${x(party)} x2=${x(party)} y1=${TOP - 10} y2=${height} />
							<text x=${x(party)} y="16" text-anchor="middle" class="strategy">${party}</text></g>`,
				)}
				${drawn.map((message, i) => html`<${Arrow} key=${message.seq} message=${message} y=${TOP + i * ROW + 18} />`)}
			</svg>
		</div>
		${
			shown < messages.length &&
			html`<p><button type="button" onClick=${() => setShown(shown + PAGE)}>
				Show ${Math.min(PAGE, messages.length - shown)} more of ${messages.length} messages
			</button></p>`
		}
		<details>
			<summary>The messages as a list</summary>
			<ol>
				${drawn.map(
					({ seq, at, from, to, text }) =>
						html`<li key=${seq}>${clockTime(at)} entry ${seq}: ${from} to ${to}: ${text}</li>`,
				)}
			</ol>
		</details>
	`;
}

function Arrow({ message, y }: { message: Message; y: number }) {
	const { from, to, text, seq, at } = message;
	const [a, b] = [x(from), x(to)];
	const room = Math.floor(Math.abs(b - a) / LETTER);
	const cut = text.length > room ? `${text.slice(0, room - 1)}…` : text;
	return html`<g>
		<title>${`Entry ${seq}: ${from} to ${to}: ${text}`}</title>
		<text class="small" x="0" y=${y}>${clockTime(at)}</text>
		<line class="message" x1=${a} x2=${b} y1=${y} y2=${y} marker-end="url(#tip)" />
		<text class="small" x=${(a + b) / 2} y=${y - 5} text-anchor="middle">${cut}</text>
	</g>`;
}
