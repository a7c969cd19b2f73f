import type { Loader } from "./loader.ts";
import type { OperationName } from "./operations.ts";
import type { Subject } from "./scene.ts";
import { type Shape, USUAL } from "./shape.ts";
import { newUser, type Stage } from "./stage.ts";

/**
 * How a cost may grow: not at all (a logarithm counts as that), in proportion, or in proportion where it is done while
 * Redis does as much as before.
 */
export type Growing = "constant" | "linear" | "linear, Redis constant";

/** One thing that grows, the operations that meet it, and how each of them may grow with it. */
export interface Dimension {
	name: string;
	sizes: readonly number[];
	operations: Partial<Record<OperationName, Growing>>;
	/** Brings what is stored to this size (sizes are asked for in order) and gives what to measure on. */
	grow(stage: Stage, loader: Loader, size: number): Promise<Subject>;
	/** Takes away what would weigh on other dimensions. */
	clear?(stage: Stage): Promise<void>;
}

export const alone = async (stage: Stage, shape: Shape): Promise<Subject> => {
	const user = newUser();
	return { user, scanId: await stage.finished(user, shape), shape };
};

/** A subject that stays the same while something else grows around it; `more` tells it of the size. */
export function around(
	grow: (stage: Stage, loader: Loader, added: number, subject: Subject) => Promise<void>,
	more: (size: number) => Partial<Subject> = () => ({}),
) {
	let subject: Subject | null = null;
	let held = 0;
	return async (stage: Stage, loader: Loader, size: number): Promise<Subject> => {
		subject ??= await alone(stage, USUAL);
		await grow(stage, loader, size - held, subject);
		held = size;
		return { ...subject, ...more(size) };
	};
}
