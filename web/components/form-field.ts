import { html, useId } from "../lib/html.ts";

interface Props {
	name: string;
	label: string;
	/** What the server says about it. */
	error?: string | undefined;
	type?: "text" | "password";
	required?: boolean;
	minlength?: number;
	maxlength?: number;
	placeholder?: string;
	autocomplete?: string;
}

/** A labelled field that the form itself holds: what is typed is in no state of ours, which matters for secrets. */
export function FormField({ label, error, type = "text", ...rest }: Props) {
	const id = useId();
	return html`<label for=${id}>${label}</label>
		<input id=${id} type=${type} ...${rest} aria-invalid=${error ? "true" : undefined}
			aria-describedby=${error ? `${id}-error` : undefined} />
		${error && html`<small id=${`${id}-error`} class="bad">${error}</small>`}`;
}
