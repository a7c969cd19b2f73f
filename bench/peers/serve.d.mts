export interface System {
	/** Runs one scan and resolves with its id when it has ended. */
	scan(): Promise<string>;
	/** What the system keeps of an ended scan. */
	read(id: string): Promise<{ rows: number; ranked: number; bytes: number; progress: boolean }>;
	/** Resolves when nothing of the finished scans is left to do. */
	idle?(): Promise<void>;
	close(): Promise<void>;
}
export interface SystemSettings {
	/** Socket of the system's own Redis. */
	redis_path: string;
	/** Directory of the system's own, removed afterwards. */
	directory: string;
	/** Address of PostgreSQL, for DBOS. */
	postgres_url: string;
	/** Ports of the Restate server. */
	restate: { ingress: number; admin: number };
}
export function serve(open: (settings: SystemSettings) => Promise<System>): Promise<void>;
