import type { Evaluation } from "./contract.ts";
import { arrived, type CrossingRequest } from "./crossing.ts";
import { evaluate } from "./evaluate.ts";

/** Entry of a worker thread: evidence stays warm here between evaluations (evidence/memo.ts). */
export default (crossed: CrossingRequest): Evaluation => evaluate(arrived(crossed));
