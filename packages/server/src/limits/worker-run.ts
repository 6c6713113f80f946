import type { Call } from '../calls/call.js';
import { withoutCredentials } from '../client-request.js';
import type { ToolRequest } from './running-tools.js';
import type { CallWorkers, QueueLimits } from './work-queue.js';

/** A call that is to run in a worker. */
interface Worked {
  readonly call: Call;
  readonly work: { readonly queue: string; readonly limits: QueueLimits };
  readonly request: ToolRequest;
}

/**
 * Runs the tool of a call in a worker. What it tells goes to the client in its order, and before its answer.
 *
 * @throws Error with the code and the data of the answer, where that is an error.
 */
export async function runInWorker(
  workers: CallWorkers,
  { call, work, request }: Worked,
): Promise<unknown> {
  const { params, client, signal } = request;
  const { principal, headers, transport, log } = call;
  let told = Promise.resolve<unknown>(undefined);
  const answer = await workers.run(
    {
      ...work,
      call: {
        tool: call.target ?? '',
        params,
        principal,
        // What lets somebody in stays on the node.
        headers: withoutCredentials(headers),
        era: transport === 'stateless' ? 'modern' : 'legacy',
        client,
      },
    },
    {
      signal,
      notify: (method, notified) => {
        told = told
          .then(() => request.notify(method, notified))
          .catch((error: unknown) => {
            log.debug(error, 'a notification of a worker could not be sent');
          });
      },
    },
  );
  await told;
  if ('result' in answer) return answer.result;
  const { message, code, data } = answer.error;
  throw Object.assign(new Error(message), { code, ...(data !== undefined && { data }) });
}
