/** Words of the evidence and of a trade, explained to somebody who trades but is no statistician. */
export const TERMS = {
	confidence: {
		title: "Chance of profit",
		meaning:
			"How often a trade like this ended with a profit after costs, corrected for how well past estimates held. The range is where the true chance lies with 95 % certainty.",
	},
	profit: {
		title: "Expected profit",
		meaning:
			"The average result after costs over many such trades with the capital named, in dollars. A single trade may win or lose more.",
	},
	capital: { title: "Capital needed", meaning: "What you would tie up to open the position, in dollars." },
	risk: {
		title: "Risk",
		meaning:
			"From how often such trades lose, their leverage and how easily they are closed. It does not say how strong the signal is.",
	},
	reward_risk: {
		title: "Reward to risk",
		meaning: "The way to the target divided by the way to the stop. 2 means: twice as much to win as to lose.",
	},
	entry: { title: "Entry", meaning: "The price at which the figures assume that the position is opened." },
	target: { title: "Target", meaning: "The price at which the profit is taken." },
	stop: {
		title: "Stop",
		meaning: "The price at which the position is closed with a loss, so that the loss stays bounded.",
	},
	hit_rate: {
		title: "Hit rate",
		meaning:
			"Share of past trades of this kind that ended with a profit after costs. The range (Wilson, 95 %) counts independent trades only.",
	},
	expectancy: {
		title: "Average result",
		meaning:
			"Average net result of a past trade, in hundredths of a percent of the position (basis points). The range covers 90 % of resampled histories.",
	},
	median: {
		title: "Middle result",
		meaning:
			"Half of the past trades did better, half worse. Far below the average means that few large wins carry the result.",
	},
	payoff: {
		title: "Profit factor",
		meaning: "Sum of all past wins divided by the sum of all past losses. Above 1, wins outweigh losses.",
	},
	n: { title: "Past trades", meaning: "How many past trades of this kind were found." },
	n_effective: {
		title: "Independent trades",
		meaning: "Trades at the same time move together and count less. This is how many independent ones they are worth.",
	},
	grade: {
		title: "Grade",
		meaning:
			"A: strong evidence. B: good evidence. C: too little to publish, shown as unproven. D: loses on average, never shown.",
	},
	placebo: {
		title: "Placebo check",
		meaning:
			"How often the same trades at random times did at least as well. A small figure means that the signal, not luck, made the result.",
	},
	brier: {
		title: "Forecast error (Brier)",
		meaning: "Mean squared error of the predicted chances: 0 is perfect, 0.25 is as good as always saying 50 %.",
	},
	ece: {
		title: "Calibration error",
		meaning:
			"How far predicted chances and what happened lie apart on average. 5 % means that a stated 60 % was really between 55 and 65 %.",
	},
	drift: {
		title: "Recent calibration error",
		meaning:
			"The same, over the most recent trades only. Much larger than over all trades means that the market may have changed.",
	},
	fees: { title: "Fees", meaning: "What the exchange takes for opening and closing." },
	spread: { title: "Spread", meaning: "What is lost between the best bid and the best ask." },
	impact: { title: "Price impact", meaning: "How far your own order moves the price." },
	funding: {
		title: "Funding",
		meaning: "What holding a perpetual contract is expected to cost. Negative: you receive it.",
	},
	basis_points: { title: "bp", meaning: "A basis point is a hundredth of a percent of the position's value." },
	as_of: { title: "Data as of", meaning: "The newest datum that was used. Nothing later went into the figures." },
	strength: {
		title: "Signal strength",
		meaning: "How strongly the entry condition is met. It says nothing about profit.",
	},
	unproven: {
		title: "Unproven",
		meaning:
			"A signal is there, but the past does not show well enough that it pays. Kept apart, so that it is not mistaken for an opportunity.",
	},
	near_miss: {
		title: "Nearest misses",
		meaning: "Candidates that came closest to being taken, with what was measured and what would have been needed.",
	},
	data_age: {
		title: "Age of the data",
		meaning: "How old the newest datum was when the strategy looked. Daily bars are up to a day old.",
	},
} as const satisfies Record<string, { title: string; meaning: string }>;
