import type { z } from 'zod';
import { errorReply, type HttpReply, type HttpRequest } from '../platform/http.ts';
import { parseJson } from '../platform/https-client.ts';

/** The body as this shape, or null. */
export function decode<T>(shape: z.ZodType<T>, request: HttpRequest): T | null {
  const parsed = shape.safeParse(parseJson(request.body));
  return parsed.success ? parsed.data : null;
}

export function malformed(): HttpReply {
  return errorReply(400, 'bad-request', 'the body is not what this route takes', 'no');
}
