import { z } from "zod";

const count = z.int().min(0);

export const machinesReply = z.object({
	success: z.literal(true),
	machines: z.array(
		z.object({
			machine_id: z.string(),
			version: count,
			description: z.string(),
			states: z.array(z.string()),
			events: z.array(z.string()),
		}),
	),
});

const point = z.object({ x: z.number(), y: z.number() });

export const machineReply = z.object({
	success: z.literal(true),
	machine_id: z.string(),
	version: count,
	description: z.string(),
	initial: z.string(),
	graph: z.object({
		nodes: z.array(
			z.object({
				id: z.string(),
				name: z.string(),
				parent: z.string().nullable(),
				type: z.enum(["atomic", "compound", "final", "parallel", "history"]),
				tags: z.array(z.string()),
				description: z.string().nullable(),
			}),
		),
		edges: z.array(
			z.object({
				id: z.string(),
				source: z.string(),
				target: z.string(),
				event: z.string(),
				guard: z.string().nullable(),
				actions: z.array(z.string()),
			}),
		),
	}),
	mermaid: z.string(),
	layout: z.object({
		width: z.number(),
		height: z.number(),
		nodes: z.record(z.string(), point.extend({ width: z.number(), height: z.number() })),
		edges: z.record(z.string(), z.object({ points: z.array(point), label: point.nullable() })),
	}),
});
