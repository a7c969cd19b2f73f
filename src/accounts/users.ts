import type { Redis } from "ioredis";
import type { Clock } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import type { AccountRemoval, PortfolioStore } from "../services.ts";
import { type AccountStore, createAccountStore } from "./account-store.ts";
import { createGatekeeper, type Gatekeeper } from "./admission.ts";
import { type CreditLedger, createCreditLedger } from "./credits.ts";
import { createExchangeAccountStore, type ExchangeAccountStore } from "./exchange-account-store.ts";
import { createIdempotency, type Idempotency } from "./idempotency.ts";
import { createLoginLimiter, type LoginLimiter } from "./login-limiter.ts";
import { createLogins, type Logins } from "./logins.ts";
import { createOnboarding, type Onboarding } from "./onboarding.ts";
import { createPasswordHasher, type HasherOptions, type PasswordHasher } from "./passwords.ts";
import type { PolicyFields } from "./policy-overlay.ts";
import { createPolicyStore, type PolicyStore } from "./policy-store.ts";
import { createPortfolioStore } from "./portfolio-store.ts";
import { createAccountRemoval } from "./removal.ts";
import type { StoreNow } from "./script.ts";
import { createSigningKeys, createTokens, type SigningKey, type Tokens } from "./tokens.ts";

/** Everything about users, wired on one Redis client. */
export interface Users {
	accounts: AccountStore;
	credits: CreditLedger;
	exchangeAccounts: ExchangeAccountStore;
	gatekeeper: Gatekeeper;
	idempotency: Idempotency;
	loginLimiter: LoginLimiter;
	logins: Logins;
	onboarding: Onboarding;
	passwords: PasswordHasher;
	policies: PolicyStore;
	portfolios: PortfolioStore;
	removal: AccountRemoval;
	signingKeys: readonly [SigningKey, ...SigningKey[]];
	tokens: Tokens;
}

export interface UsersOptions {
	redis: Redis;
	clock: Clock;
	entropy: Entropy;
	/** JWT_SECRET split at its commas: the first signs, all verify. 32 bytes or more each. */
	jwtSecrets: readonly string[];
	refreshGraceMs: number;
	/** OPPORTUNITY_STRATEGY_SYMBOL_POLICIES by policy key. */
	policies?: Readonly<Record<string, PolicyFields>>;
	/** Cheaper hashes for tests. */
	hasher?: HasherOptions;
	/** The store's clock for tests; default Redis TIME. */
	storeNow?: StoreNow;
}

export function createUsers(options: UsersOptions): Users {
	const { redis, clock, entropy, storeNow } = options;
	const signingKeys = createSigningKeys(options.jwtSecrets);
	const tokens = createTokens(signingKeys, clock);
	const accounts = createAccountStore(redis, clock, entropy);
	const credits = createCreditLedger(redis);
	const loginParts = { redis, clock, entropy, tokens, refreshGraceMs: options.refreshGraceMs };
	return {
		accounts,
		credits,
		exchangeAccounts: createExchangeAccountStore(redis),
		gatekeeper: createGatekeeper(redis, entropy, storeNow),
		idempotency: createIdempotency(redis, entropy, storeNow),
		loginLimiter: createLoginLimiter(redis, clock, entropy, storeNow),
		logins: createLogins(storeNow ? { ...loginParts, storeNow } : loginParts),
		onboarding: createOnboarding(redis, clock, accounts, credits),
		passwords: createPasswordHasher(entropy, options.hasher),
		policies: createPolicyStore(redis, clock, new Map(Object.entries(options.policies ?? {}))),
		portfolios: createPortfolioStore(redis, clock, entropy),
		removal: createAccountRemoval(redis, accounts),
		signingKeys,
		tokens,
	};
}
