/** Normal quantile of a two-sided 95 % interval. */
export const Z_95 = 1.959963984540054;

export const PRIOR_WINS = 5;
export const PRIOR_TRADES = 10;
/** Trades a symbol needs before its own rate weighs as much as the pool's. */
export const SHRINKAGE_TRADES = 50;

/**
 * Wilson's interval for a rate `p` seen in `n` independent trials (Newcombe 1998, method 3);
 * n = 0 tells nothing: [0, 1]. Rates 0..1.
 */
export function wilsonInterval(p: number, n: number, z = Z_95): [low: number, high: number] {
	if (!(n > 0)) return [0, 1];
	const zz = z * z;
	const centre = p + zz / (2 * n);
	const reach = z * Math.sqrt((p * (1 - p)) / n + zz / (4 * n * n));
	const scale = 1 + zz / n;
	return [Math.max(0, (centre - reach) / scale), Math.min(1, (centre + reach) / scale)];
}

/** Mean of the posterior of a rate whose Beta prior is worth so many wins among so many trades. */
export const posteriorRate = (wins: number, trades: number, priorWins: number, priorTrades: number): number =>
	(wins + priorWins) / (trades + priorTrades);

/** Mean of the Beta(5,5) posterior: the pooled rate drawn toward one half. */
export const pooledRate = (wins: number, trades: number): number =>
	posteriorRate(wins, trades, PRIOR_WINS, PRIOR_TRADES);

/** A symbol's rate drawn toward the pool with the weight of 50 trades. */
export const symbolRate = (wins: number, trades: number, pool: number): number =>
	posteriorRate(wins, trades, SHRINKAGE_TRADES * pool, SHRINKAGE_TRADES);
