import type { Column } from "../columns.ts";
import { autoregressiveHalfLife } from "./reversion.ts";

export interface ResidualScore {
	/** AR(1) coefficient of the cumulated residual. */
	b: number;
	/** Bars; Infinity where it does not return. */
	halfLife: number;
	/** Centre a/(1-b) of the cumulated residual, whose newest value is 0. */
	centre: number;
	/** Deviation of the stationary distribution, sqrt(var(e)/(1-b^2)); in returns. */
	deviation: number;
	/** -centre/deviation: below 0 the asset is cheap against its factors. NaN unless 0 < b < 1. */
	s: number;
}

/**
 * Ornstein-Uhlenbeck score of a regression's residuals (Avellaneda and Lee 2010, appendix): they are
 * cumulated to X, X(n+1) = a + b X(n) + e is fitted, var(e) without correction for degrees of freedom.
 */
export function residualScore(residuals: Column): ResidualScore {
	const n = residuals.length - 1;
	let [before, sum, sumNext] = [0, 0, 0];
	let [squares, products, squaresNext] = [0, 0, 0];
	for (let t = 0; t < residuals.length; t++) {
		const now = before + (residuals[t] as number);
		if (t > 0) {
			sum += before;
			sumNext += now;
			squares += before * before;
			products += before * now;
			squaresNext += now * now;
		}
		before = now;
	}
	const sxx = squares - (sum * sum) / n;
	const sxy = products - (sum * sumNext) / n;
	const syy = squaresNext - (sumNext * sumNext) / n;
	const b = sxy / sxx;
	const a = (sumNext - b * sum) / n;
	const centre = a / (1 - b);
	const deviation = Math.sqrt((syy - b * sxy) / n / (1 - b * b));
	return {
		b,
		halfLife: autoregressiveHalfLife(b),
		centre,
		deviation,
		s: b > 0 && b < 1 ? -centre / deviation : Number.NaN,
	};
}
