import { z } from 'zod';
import { answersTo } from '../platform/answers.ts';
import { EngineError } from '../platform/errors.ts';
import { errorReply, type HttpReply, type HttpRequest, type Route } from '../platform/http.ts';
import { parseJson } from '../platform/https-client.ts';

/** The longest value, every character of it escaped. */
const MAX_QUESTION_CHARS = 1024 * 1024;
/** More at once on one connection are refused, so that a stalled disk cannot fill memory. */
const MAX_UNDER_WAY = 1024;

const questionShape = z.object({
  id: z.number().int(),
  method: z.enum(['GET', 'PUT', 'DELETE']),
  key: z.string(),
  /** PUT: what to write. */
  value: z.string(),
  correlationId: z.string(),
});
type Question = z.infer<typeof questionShape>;
export type KvQuestion = Omit<Question, 'id'>;

/** What the route of that method answers. */
export const kvAnswerShape = z.object({ id: z.number().int(), status: z.number().int(), json: z.unknown() });
export type KvAnswer = z.infer<typeof kvAnswerShape>;

/** `POST /v1/kv`: the routes of `/v1/kv/<key>`, asked by lines of one connection that goes on; for the api beside this database. Once `stopping` aborts nothing more is taken. */
export function kvLinkRoute(routes: readonly Route[], stopping: AbortSignal): Route {
  const roles = routes[0]?.roles ?? [];
  return {
    method: 'POST',
    path: '/v1/kv',
    roles,
    streamBody: true,
    handle: (request) => {
      let underWay = 0;
      const answer = async (line: string): Promise<string> => {
        const question = questionShape.safeParse(parseJson(line));
        if (!question.success) throw new EngineError('bad-request', 'a line is no question');
        underWay += 1;
        const { status, json } = underWay > MAX_UNDER_WAY ? overloaded() : await ask(routes, question.data, request);
        underWay -= 1;
        return JSON.stringify({ id: question.data.id, status, json } satisfies KvAnswer);
      };
      return { status: 200, body: answersTo({ stream: request.stream, maxChars: MAX_QUESTION_CHARS, stopping, answer }) };
    },
  };
}

async function ask(routes: readonly Route[], question: Question, { caller, path, stream, signal }: HttpRequest): Promise<HttpReply> {
  const { method, key, correlationId } = question;
  const route = routes.find((one) => one.method === method);
  if (route === undefined) return errorReply(405, 'bad-request', `${method} is not allowed here`, 'no');
  const body = Buffer.from(question.value);
  if (body.length > (route.bodyLimitBytes ?? 0)) return errorReply(413, 'too-large', 'the value is too large', 'no');
  return await route.handle({ method, path, rest: key, caller, correlationId, body, stream, signal });
}

function overloaded(): HttpReply {
  return errorReply(503, 'overloaded', 'too many requests at once', 'no');
}
