import { createHmac } from "node:crypto";

/**
 * `t=<epoch s>,v1=<hex HMAC-SHA256 of "t.body">`, keyed with the webhook's secret. The time is signed too, so
 * that a receiver can refuse what somebody recorded and sends again.
 */
export function signatureOf(secret: string, body: string, atMs: number): string {
	const t = Math.floor(atMs / 1000);
	return `t=${t},v1=${createHmac("sha256", secret).update(`${t}.${body}`).digest("hex")}`;
}
