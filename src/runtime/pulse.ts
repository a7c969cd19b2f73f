/** A turn that stands still this long is hung: every command of the store fails within a few seconds. */
const HUNG_AFTER_MS = 10_000;

/**
 * Tells a run that works or waits from one whose loop hangs in the middle of a turn. A heartbeat alone proves
 * only that timers fire; a worker that still sends it for a loop that never comes back would keep its scan
 * from everybody else. Counted in heartbeats, not in time: a process that was frozen and wakes up has not
 * had a chance to go on.
 */
export class Pulse {
	private readonly beatsMax: number;
	private steps = 0;
	private seen = 0;
	private still = 0;
	private busy = false;

	constructor(heartbeatMs: number) {
		this.beatsMax = Math.max(2, Math.ceil(HUNG_AFTER_MS / heartbeatMs));
	}

	/** The loop has come this far. */
	step(): void {
		this.busy = true;
		this.steps += 1;
	}

	/** The loop waits for something to do, which may take as long as it likes. */
	rest(): void {
		this.busy = false;
	}

	/** To be asked once per heartbeat: true when the loop has stood still for too many of them. */
	hangs(): boolean {
		this.still = this.busy && this.steps === this.seen ? this.still + 1 : 0;
		this.seen = this.steps;
		return this.still >= this.beatsMax;
	}
}
