import type { FastifyInstance, FastifyReply } from 'fastify';
import { isJsonObject } from '../json-object.js';
import type { CheckList, PageChecks } from './page-checks.js';
import { PageError } from './page-error.js';

/** Adds what the page asks about checks. `checks` is `undefined` where nothing can be called. */
export function addChecksApi(app: FastifyInstance, checks: PageChecks | undefined): void {
  const needed = (): PageChecks => {
    if (checks !== undefined) return checks;
    throw new PageError(409, 'only-shown', 'There are no checks here: nothing can be called.');
  };
  app.get('/api/checks', async (_request, reply) => answer(reply, needed().list()));
  app.post('/api/checks', async ({ body }, reply) => answer(reply.code(201), needed().add(body)));
  app.post('/api/checks/remove', async ({ body }, reply) => {
    const { index, version } = isJsonObject(body) ? body : {};
    if (typeof index !== 'number' || typeof version !== 'string') {
      throw new PageError(400, 'invalid-request', 'index is a number, and version a text');
    }
    return answer(reply, needed().remove(index, version));
  });
}

/** An integer that is too large for a number is a text in the page, as in a recording. */
function answer(reply: FastifyReply, list: CheckList): FastifyReply {
  const text = JSON.stringify(list, (_name, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return reply.type('application/json; charset=utf-8').send(text);
}
