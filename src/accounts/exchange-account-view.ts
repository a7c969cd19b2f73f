import type { AccountErrorCode } from "../exchange/contract.ts";
import type { AccountState, StoredAccount } from "./exchange-account-store.ts";

export const ACCOUNT_STATUSES = ["ok", "partial", "failing", "refused", "unread"] as const;
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

/** An exchange account as its owner sees it. */
export interface AccountView {
	account_id: string;
	exchange: string;
	label: string | null;
	key_hint: string;
	status: AccountStatus;
	/** Whether the exchange has said that the key can do nothing but read. */
	permissions_checked: boolean;
	last_read_at: string | null;
	last_error: AccountErrorCode | null;
}

function statusOf({ last_error, held }: AccountState): AccountStatus {
	if (last_error === "account_key_too_powerful") return "refused";
	if (last_error !== null) return "failing";
	if (held === null) return "unread";
	return held.missing.length > 0 ? "partial" : "ok";
}

export const viewOf = ({ account_id, record, state }: StoredAccount): AccountView => ({
	account_id,
	exchange: record.exchange,
	label: record.label,
	key_hint: record.key_hint,
	status: statusOf(state),
	permissions_checked: state.permissions_at_ms !== null,
	last_read_at: state.last_read_at,
	last_error: state.last_error,
});
