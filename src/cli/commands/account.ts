import { defineCommand } from "citty";
import { parse, refusal, request } from "../client.ts";
import { type CliContext, clientOf } from "../context.ts";
import { CliError, EXIT } from "../exit.ts";
import { DEFAULT_URL } from "../session.ts";

const LOGIN_LIMIT_MS = 15_000;

export const loginCommand = (context: CliContext) =>
	defineCommand({
		meta: { name: "login", description: "Sign in and keep the login for later commands" },
		args: {
			url: { type: "string", description: "Address of the server (or LOOKOUT_URL)", valueHint: DEFAULT_URL },
			email: { type: "string", description: "Your e-mail address" },
			"password-stdin": { type: "boolean", description: "Read the password from standard input" },
		},
		async run({ args }) {
			const { terminal, env, sessions } = context;
			const url = (args.url ?? env.LOOKOUT_URL ?? DEFAULT_URL).replace(/\/+$/, "");
			if (!/^https?:\/\/[^\s/]+/.test(url)) throw new CliError(EXIT.usage, `${url} is not a web address`);
			const email = args.email ?? (await terminal.ask("E-mail: "));
			const password = args["password-stdin"]
				? await terminal.input()
				: (env.LOOKOUT_PASSWORD ?? (await terminal.ask("Password: ", true)));
			if (!email || !password) throw new CliError(EXIT.usage, "An e-mail address and a password are needed");
			const signal = AbortSignal.timeout(LOGIN_LIMIT_MS);
			const response = await request(url, "POST", "/auth/login", { signal, headers: {}, body: { email, password } });
			const body = parse(await response.text());
			if (!response.ok) throw refusal({ status: response.status, headers: response.headers, body });
			const { access_token, refresh_token } = body as { access_token: string; refresh_token: string };
			await sessions.write({ url, email, access_token, refresh_token });
			terminal.out(`Signed in at ${url} as ${email} (${body.role}).\n`);
		},
	});

export const logoutCommand = (context: CliContext) =>
	defineCommand({
		meta: { name: "logout", description: "End the login here and at the server" },
		async run() {
			const client = await clientOf(context);
			await client.call("POST", "/auth/logout", {}, ({ status }) => status === 401);
			await context.sessions.remove();
			context.terminal.out("Signed out.\n");
		},
	});
