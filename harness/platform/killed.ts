/** What a container runtime says of a process that SIGKILL ended: 128 and the signal's number. */
export const KILLED = 137;
