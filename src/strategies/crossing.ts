import type { EvaluationRequest } from "./contract.ts";
import { learnFingerprints, sealedFingerprints } from "./evidence/memo.ts";

/**
 * A request on its way to a worker thread. Columns cross as shared memory, so the bytes sent do not grow
 * with histories; but they arrive as new objects, of which the thread would have to hash every bar again
 * to know whether it has seen them. So their fingerprints travel with them.
 */
export interface CrossingRequest {
	request: EvaluationRequest;
	/** A structured clone keeps the identity of objects: these are the very ones of the request's view. */
	fingerprints: ReturnType<typeof sealedFingerprints>;
}

/** What is sent for a request. */
export const crossing = (request: EvaluationRequest): CrossingRequest => ({
	request,
	fingerprints: sealedFingerprints(request.view),
});

/** The request as it arrived in this thread; its fingerprints are known here from now on. */
export function arrived({ request, fingerprints }: CrossingRequest): EvaluationRequest {
	learnFingerprints(fingerprints);
	return request;
}
