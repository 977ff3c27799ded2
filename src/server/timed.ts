import type { Clock } from '../platform/clock.ts';
import type { Route } from '../platform/http.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** The route, with how long it took and how it ended in the metrics. */
export function timed(route: Route, metrics: Metrics, clock: Clock): Route {
  return {
    ...route,
    handle: async (request) => {
      const startMs = clock.monotonicMs();
      const reply = await route.handle(request);
      const outcome = reply.status < 400 || reply.status === 404 ? 'ok' : reply.status < 500 ? 'refused' : 'failed';
      metrics.observeRequest({ method: route.method, outcome }, (clock.monotonicMs() - startMs) / 1000);
      return reply;
    },
  };
}
