import type { Client } from '@modelcontextprotocol/client';
import { requestContext, type RequestContext } from '../connection/request-context.js';
import type { TaskInput } from '../tasks/follower.js';
import { isObject } from '../untrusted/is-object.js';
import { NEVER_MS } from './sdk-client.js';

/**
 * Answers what a task asks for by the handlers of the SDK's `Client`, which checks both and fills in the
 * defaults of forms. It has no other way to be asked than a result that asks for input: it is given one,
 * and its next request has the answer. Nothing is sent.
 */
export async function answerInput(
  throughSdk: <T>(send: (sdk: Client) => Promise<T>) => Promise<T>,
  { key, request, signal }: TaskInput,
): Promise<unknown> {
  let response: unknown;
  const context: RequestContext = {
    certainty: 'not-sent',
    answerHere: ({ params }) => {
      const responses = params?.['inputResponses'];
      if (!isObject(responses)) {
        const inputRequests = Object.fromEntries([[key, request]]);
        return { resultType: 'input_required', inputRequests };
      }
      response = responses[key];
      return { resultType: 'complete', content: [] };
    },
  };
  const params = { name: 'input of a task', [requestContext]: context };
  await throughSdk((sdk) =>
    sdk.request({ method: 'tools/call', params }, { timeout: NEVER_MS, signal }),
  );
  return response;
}
