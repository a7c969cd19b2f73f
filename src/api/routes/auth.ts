import { normalEmail, type StoredAccount } from "../../accounts/account-store.ts";
import { onboardedAtCreation } from "../../accounts/onboarding.ts";
import { PERMISSIONS } from "../../accounts/permissions.ts";
import { ApiError } from "../../errors.ts";
import type { ApiDeps } from "../deps.ts";
import { type RouteSpec, route } from "../route.ts";
import {
	doneReply,
	loginBody,
	loginReply,
	meReply,
	passwordBody,
	refreshBody,
	refreshReply,
	registerBody,
	registerReply,
} from "../schemas/auth.ts";

/** Sessions never lie in a cache. */
const NO_STORE = { cache_control: "no-store" } as const;

interface Verified {
	account: StoredAccount;
	password_hash: string;
}

/** E-mail and password against the store, counted by the login limiter. Null: unknown or wrong, in equal time. */
export async function verifyCredentials(
	deps: Pick<ApiDeps, "users" | "meter">,
	address: string,
	email: string,
	password: string,
): Promise<Verified | null> {
	const { accounts, loginLimiter, passwords } = deps.users;
	const attempt = loginLimiter.attempt<Verified | null>(address, normalEmail(email), async () => {
		const found = await accounts.credentials(email);
		const correct = await passwords.verify(password, found?.password_hash ?? null, address);
		return found && correct ? { outcome: "passed", value: found } : { outcome: "failed", value: null };
	});
	return attempt.catch((error: unknown) => {
		if (error instanceof ApiError && error.code === "login_rate_limited") deps.meter?.limiterRefused("login");
		throw error;
	});
}

const login = (deps: ApiDeps) =>
	route({
		method: "post",
		path: "/auth/login",
		operation_id: "login",
		summary: "Log in with e-mail and password",
		tag: "auth",
		public: true,
		rate: "none",
		body: loginBody,
		responses: { 200: { description: "Tokens of a new login", schema: loginReply } },
		problems: ["invalid_credentials", "account_inactive", "login_rate_limited"],
		async handler({ body, address }) {
			const verified = await verifyCredentials(deps, address, body.email, body.password);
			if (!verified) throw new ApiError("invalid_credentials");
			const account = await deps.users.accounts.syncAccess(verified.account);
			const pair = await deps.users.logins.open(account, verified.password_hash);
			const { user_id, role } = account;
			return {
				status: 200,
				body: { ...pair, user_id, role, tenant_id: "", permissions: PERMISSIONS[role] },
				...NO_STORE,
			};
		},
	});

const refresh = (deps: ApiDeps) =>
	route({
		method: "post",
		path: "/auth/refresh",
		operation_id: "refresh_tokens",
		summary: "Exchange a refresh token for its successor",
		tag: "auth",
		public: true,
		rate: "other",
		body: refreshBody,
		responses: { 200: { description: "The next tokens of the login", schema: refreshReply } },
		problems: ["token_invalid", "token_expired", "token_revoked", "refresh_token_reused"],
		async handler({ body }) {
			const { accounts, logins, tokens } = deps.users;
			const claims = await tokens.verifyRefresh(body.refresh_token);
			const account = await accounts.byId(claims.sub);
			if (!account) throw new ApiError("token_revoked");
			const pair = await logins.rotate(claims, account);
			return { status: 200, body: { success: true, ...pair, tokens: pair }, ...NO_STORE };
		},
	});

const register = (deps: ApiDeps) =>
	route({
		method: "post",
		path: "/auth/register",
		operation_id: "register",
		summary: "Create an own account, where registration is open",
		tag: "auth",
		public: true,
		rate: "other",
		precheck() {
			if (!deps.config.registrationOpen) throw new ApiError("registration_closed");
		},
		body: registerBody,
		responses: { 201: { description: "The account, onboarded, with a first login", schema: registerReply } },
		problems: ["registration_closed", "email_taken", "overloaded"],
		async handler({ body }) {
			const { accounts, logins, passwords } = deps.users;
			const password_hash = await passwords.hash(body.password);
			const user_id = deps.entropy.uuid();
			const onboarding = onboardedAtCreation(user_id, deps.clock.now());
			const full_name = body.full_name || null;
			const account = await accounts.create({
				user_id,
				email: body.email,
				password_hash,
				full_name,
				role: "trader",
				onboarding,
			});
			const tokens = await logins.open(account, password_hash);
			const user = { id: account.user_id, email: account.email, role: "trader", status: "active" };
			return { status: 201, body: { success: true, user, tokens }, ...NO_STORE };
		},
	});

const logout = (deps: ApiDeps) =>
	route({
		method: "post",
		path: "/auth/logout",
		operation_id: "logout",
		summary: "End this login on every process",
		tag: "auth",
		rate: "other",
		allow_revoked: true,
		responses: { 200: { description: "The login is over", schema: doneReply } },
		async handler({ viewer, session }) {
			await deps.users.logins.revoke(viewer.user_id, session.sid);
			return { status: 200, body: { success: true, message: "Logged out" }, ...NO_STORE };
		},
	});

const password = (deps: ApiDeps) =>
	route({
		method: "post",
		path: "/auth/password",
		operation_id: "change_password",
		summary: "Change the own password; the user's other logins end",
		tag: "auth",
		rate: "other",
		body: passwordBody,
		responses: { 200: { description: "The password is changed", schema: doneReply } },
		problems: ["invalid_credentials", "login_rate_limited", "overloaded"],
		async handler({ body, viewer, session, address }) {
			const { accounts, passwords } = deps.users;
			const account = await accounts.byId(viewer.user_id);
			const verified = account && (await verifyCredentials(deps, address, account.email, body.current_password));
			if (!verified) throw new ApiError("invalid_credentials");
			const next = await passwords.hash(body.new_password);
			const changed = await accounts.changePassword(viewer.user_id, verified.password_hash, next, session.sid);
			if (!changed) throw new ApiError("invalid_credentials");
			return {
				status: 200,
				body: { success: true, message: "The password is changed; other logins have ended" },
				...NO_STORE,
			};
		},
	});

const me = (deps: ApiDeps) =>
	route({
		method: "get",
		path: "/auth/me",
		operation_id: "me",
		summary: "The signed-in user",
		tag: "auth",
		rate: "other",
		responses: { 200: { description: "The account", schema: meReply } },
		async handler({ viewer }) {
			const account = await deps.users.accounts.byId(viewer.user_id);
			if (!account) throw new ApiError("token_revoked");
			const { user_id: id, email, full_name, role, status, created_at, last_login } = account;
			const facts = { id, email, full_name, role, status, tenant_id: "", created_at, last_login, mfa_enabled: false };
			return { status: 200, body: { ...facts, permissions: PERMISSIONS[role] }, ...NO_STORE };
		},
	});

/** Login, tokens and the own account. */
export const authRoutes = (deps: ApiDeps): RouteSpec[] => [
	login(deps),
	refresh(deps),
	register(deps),
	logout(deps),
	password(deps),
	me(deps),
];
