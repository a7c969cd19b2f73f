/** Every Redis key about schedules. Those of one user share the hash tag `{user_id}` with the user's other keys. */

/** Hash: schedule_id -> ScheduleSpec (JSON). */
export const schedulesKey = (userId: string): string => `alert_schedules:{${userId}}`;
/** Hash: `<schedule_id>:<field>` -> what became of its runs. */
export const scheduleRunsKey = (userId: string): string => `alert_schedule_runs:{${userId}}`;
/** Glob of the first, for the walk that repairs the indexes. */
export const SCHEDULES_GLOB = "alert_schedules:{*}";

/** Hash: schedule_id -> user_id. Jobs carry the id of the schedule alone. */
export const scheduleOwnersKey = "alert_schedule_owners";
/** Sorted set: schedule_id by the moment at which it is to be looked at. */
export const schedulesDueKey = "alert_schedules_due";
/** String: where the walk goes on (SCAN cursor). */
export const scheduleWalkKey = "alert_schedules_walk";

export const userOfSchedulesKey = (key: string): string => key.slice("alert_schedules:{".length, -1);
