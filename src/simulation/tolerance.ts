/** Clocks may run wrong, so that what a controller takes for a window may be so much shorter. */
export const TOLERANCE = 0.9;
