/** Beyond so many operations under way a client has none left to send with: the operation is dropped, which is a failure. */
export const SCHEDULED_UNDER_WAY = 64;
/** Deletes of everything go on beside the schedule, so many at a time, so that nothing of it is dropped. */
export const DELETES_UNDER_WAY = 8;
