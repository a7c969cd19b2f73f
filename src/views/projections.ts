import type { Projections } from "../runtime/scan-commit.ts";
import { debugChanges, debugFields } from "./debug-fields.ts";
import { lifecycleFields } from "./lifecycle-fields.ts";

/** The two hashes that operators know, as the runtime writes them with every commit. */
export const projections: Projections = { lifecycleFields, debugFields, debugChanges };
