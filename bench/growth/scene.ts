import type { Viewer } from "../../src/store/contract.ts";
import type { Loader } from "./loader.ts";
import type { Shape } from "./shape.ts";
import type { Stage } from "./stage.ts";
import type { Watching } from "./streams.ts";

/** What is measured on: a user with one finished scan. */
export interface Subject {
	user: Viewer;
	scanId: string;
	shape: Shape;
	/** Where streams grow. */
	watching?: Watching;
	/** Where scans grow that a killed worker leaves behind. */
	lost?: number;
}

export interface Scene {
	stage: Stage;
	loader: Loader;
	subject: Subject;
	runs: number;
}

export const times = (runs: number): number[] => Array.from({ length: runs }, (_, n) => n);
