import { z } from 'zod';
import { errorReply, jsonReply, metricsRoute, type HttpReply, type Route } from '../platform/http.ts';
import type { ControllerMetrics } from '../telemetry/controller-metrics.ts';
import type { Controller } from './controller.ts';

const orderShape = z.strictObject({
  target: z.string(),
  /** The same as acceptDataLossSeconds: Infinity would be, for who does not want to name a number in an emergency. */
  force: z.boolean().optional(),
  acceptDataLossSeconds: z.number().nonnegative().optional(),
});

/** The controller's part of the contract (ARCHITECTURE §3). */
export function controllerRoutes(controller: Controller, metrics: ControllerMetrics): readonly Route[] {
  return [
    { method: 'GET', path: '/health', roles: 'anyone', handle: () => health(controller) },
    metricsRoute(['controller', 'operator'], () => metrics.text(controller.status())),
    { method: 'GET', path: '/v1/status', roles: ['controller', 'operator'], handle: () => jsonReply(controller.status()) },
    { method: 'GET', path: '/v1/vote', roles: ['controller'], handle: () => jsonReply(controller.vote()) },
    { method: 'POST', path: '/v1/failover', roles: ['operator'], bodyLimitBytes: 4096, handle: ({ body }) => order(controller, body) },
  ];
}

function health(controller: Controller): HttpReply {
  const { region, state, primary, epoch, leader } = controller.status();
  const status = state === 'Normal' ? 'Healthy' : 'Degraded';
  return jsonReply({ region, status, state, primary, epoch, leader, timestamp: new Date().toISOString() });
}

function order(controller: Controller, body: Buffer): HttpReply {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    return errorReply(400, 'bad-request', 'the body must be JSON: {"target": "<region>"}', 'no');
  }
  const parsed = orderShape.safeParse(json);
  if (!parsed.success) {
    return errorReply(400, 'bad-request', parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '), 'no');
  }
  const { target, force, acceptDataLossSeconds } = parsed.data;
  const accepted = force === true ? Number.MAX_SAFE_INTEGER : (acceptDataLossSeconds ?? null);
  const result = controller.order({ target, acceptDataLossSeconds: accepted });
  if (result.ok) return jsonReply({ accepted: true, status: controller.status() }, 202);
  return { status: 409, json: { error: { code: 'failover-failed', message: result.why, applied: 'no' }, leader: result.leader } };
}
