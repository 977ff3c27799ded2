import { z } from 'zod';
import { errorReply, jsonReply, metricsRoute, type HttpReply, type HttpRequest, type Route } from '../platform/http.ts';
import type { ControllerMetrics } from '../telemetry/controller-metrics.ts';
import type { Controller } from './controller.ts';
import { ANY_LOSS_SECONDS } from './loss.ts';
import type { OperatorRequest } from './state.ts';

const loss = z.union([z.number().nonnegative(), z.literal('any')]).transform((given) => (given === 'any' ? ANY_LOSS_SECONDS : given));
/** Who gives the order, for the record; the certificate says it anyway. */
const common = { by: z.string().max(200).optional(), dryRun: z.boolean().optional() };
const switchoverShape = z.strictObject({ target: z.string(), ...common });
const failbackShape = z.strictObject({ ...common });
const failoverShape = z.strictObject({
  target: z.string(),
  force: z.boolean().optional(),
  acceptDataLossSeconds: loss.optional(),
  ...common,
});
const approveShape = z.strictObject({ acceptDataLossSeconds: loss.optional(), by: common.by });
const pauseSeen = z.strictObject({ why: z.string(), since: z.string().optional() });
const pauseShape = z.strictObject({
  why: z.string().max(1000).optional(),
  forMs: z.number().int().positive().optional(),
  yields: z.boolean().optional(),
  over: pauseSeen.optional(),
  by: common.by,
});
const resumeShape = z.strictObject({ why: z.string().max(1000).optional(), of: pauseSeen.optional(), by: common.by });
const acknowledgeShape = z.strictObject({ by: common.by });

/** The controller's part of the contract (ARCHITECTURE §3). */
export function controllerRoutes(controller: Controller, metrics: Pick<ControllerMetrics, 'text'>): readonly Route[] {
  const post = (path: string, handle: Route['handle']): Route => ({
    method: 'POST',
    path,
    roles: ['operator'],
    // Two reasons of 1000 characters, of up to 4 bytes each.
    bodyLimitBytes: 16_384,
    handle,
  });
  const readers = ['controller', 'operator'] as const;
  return [
    { method: 'GET', path: '/health', roles: 'anyone', handle: () => health(controller) },
    metricsRoute(readers, () => metrics.text(controller.status())),
    { method: 'GET', path: '/v1/status', roles: readers, handle: () => jsonReply(controller.status()) },
    { method: 'GET', path: '/v1/history', roles: readers, handle: () => jsonReply({ runs: controller.history() }) },
    { method: 'GET', path: '/v1/vote', roles: ['controller'], handle: () => vote(controller) },
    post('/v1/switchover', (request) =>
      withBody(request, switchoverShape, (by, { target, dryRun }) => order(controller, { kind: 'switchover', target, by }, dryRun)),
    ),
    post('/v1/failback', (request) =>
      withBody(request, failbackShape, (by, { dryRun }) => order(controller, { kind: 'failback', by }, dryRun)),
    ),
    post('/v1/failover', (request) => withBody(request, failoverShape, (by, body) => failover(controller, by, body))),
    post('/v1/approve', (request) =>
      withBody(request, approveShape, (by, { acceptDataLossSeconds }) =>
        order(controller, { kind: 'approve', acceptedLossSeconds: acceptDataLossSeconds ?? null, by }),
      ),
    ),
    post('/v1/pause', (request) => withBody(request, pauseShape, (by, body) => pause(controller, by, body, request.signal))),
    post('/v1/resume', (request) =>
      withBody(request, resumeShape, async (by, { why = '', of }) => {
        const otherwise = of === undefined ? 'automatic failover is not paused' : 'that pause is over, or another one has taken its place';
        return changed(await controller.desk.resume({ by, why, of }, request.signal), otherwise, controller);
      }),
    ),
    post('/v1/acknowledge', (request) =>
      withBody(request, acknowledgeShape, async (by) =>
        changed(await controller.desk.acknowledge(by, request.signal), 'there is no automatic failover that waits for it', controller),
      ),
    ),
  ];
}

function vote(controller: Controller): HttpReply {
  const given = controller.vote();
  return given === null ? errorReply(503, 'health-check-failed', 'this controller ends and observes no more') : jsonReply(given);
}

function health(controller: Controller): HttpReply {
  const { region, state, primary, epoch, leader } = controller.status();
  const status = state === 'Normal' ? 'Healthy' : 'Degraded';
  return jsonReply({ region, status, state, primary, epoch, leader, timestamp: new Date().toISOString() });
}

async function withBody<T extends { readonly by?: string | undefined }>(
  request: HttpRequest,
  shape: z.ZodType<T>,
  handle: (by: string, body: T) => HttpReply | Promise<HttpReply>,
): Promise<HttpReply> {
  let json: unknown;
  try {
    json = request.body.length === 0 ? {} : JSON.parse(request.body.toString('utf8'));
  } catch {
    return errorReply(400, 'bad-request', 'the body must be JSON', 'no');
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success) return wrongBody(parsed.error);
  const certificate = request.caller === null ? 'nobody' : `${request.caller.role}.${request.caller.region}`;
  return handle(parsed.data.by === undefined ? certificate : `${parsed.data.by} (${certificate})`, parsed.data);
}

export function wrongBody({ issues }: z.ZodError): HttpReply {
  const problems = issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return errorReply(400, 'bad-request', problems.join('; '), 'no');
}

function failover(controller: Controller, by: string, body: z.infer<typeof failoverShape>): HttpReply {
  const { target, force, acceptDataLossSeconds, dryRun } = body;
  if ((force === true) !== (acceptDataLossSeconds !== undefined))
    return errorReply(400, 'bad-request', 'force and acceptDataLossSeconds belong together: the loss that is forced has to be named', 'no');
  if (acceptDataLossSeconds === undefined) return order(controller, { kind: 'failover', target, by }, dryRun);
  return order(controller, { kind: 'forced', target, acceptedLossSeconds: acceptDataLossSeconds, by }, dryRun);
}

function order(controller: Controller, request: OperatorRequest, dryRun?: boolean): HttpReply {
  const result = dryRun === true ? controller.rehearse(request) : controller.order(request);
  if (!result.ok)
    return { status: 409, json: { error: { code: 'failover-failed', message: result.why, applied: 'no' }, leader: result.leader } };
  if ('rehearsal' in result) return jsonReply(result.rehearsal);
  return jsonReply({ accepted: true, runId: result.runId, status: controller.status() }, 202);
}

async function pause(controller: Controller, by: string, body: z.infer<typeof pauseShape>, signal: AbortSignal): Promise<HttpReply> {
  const { why = '', forMs = null, yields = false, over } = body;
  return changed(
    await controller.desk.pause({ by, why, forMs, yields, over }, signal),
    'somebody else has paused failovers meanwhile',
    controller,
  );
}

function changed(written: unknown, otherwise: string, controller: Controller): HttpReply {
  if (written === null) return errorReply(409, 'bad-request', otherwise, 'no');
  return jsonReply({ accepted: true, status: controller.status() });
}
