/** So long the load goes on at its end until service is sustained: whoever is not served by then was not served when it ended. */
export const LAST_SERVICE_MS = 5000;
