/** Symbols whose pairs are tested at most: 25 make 300 pairs. */
export const PAIR_SYMBOLS_MAX = 25;

/** Unordered pairs of `symbols` things. */
export const pairCount = (symbols: number): number => (symbols * (symbols - 1)) / 2;

/** Pairs of so many symbols that are tested in one evaluation. */
export const pairsTested = (symbols: number): number => pairCount(Math.min(symbols, PAIR_SYMBOLS_MAX));
