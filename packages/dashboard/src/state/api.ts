import type { CallPicture } from '@longwire/recording';
import { isObject, lineJson } from '@longwire/recording/shown';

/** A call that a person asks for. */
export interface CallRequest {
  readonly server: string;
  readonly method: 'tools/call' | 'resources/read' | 'prompts/get';
  readonly name: string;
  readonly arguments?: unknown;
  readonly confirmed?: true;
}

/** Why the page's server did not do what it was asked for. */
export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
  }
}

/**
 * Asks the page's server for something.
 *
 * @throws ApiError with its code, or `not-live` if it does not answer.
 */
export async function ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`api/${path}`, {
      method,
      headers: {
        'x-longwire-page': '1',
        ...(method === 'POST' && { 'content-type': 'application/json' }),
      },
      ...(method === 'POST' && { body: JSON.stringify(body ?? {}) }),
    });
  } catch {
    throw new ApiError('not-live', 'The server of this page does not answer.');
  }
  const text = await response.text();
  const answer = text === '' ? undefined : parse(text);
  if (response.ok) return answer;
  const error = isObject(answer) && isObject(answer['error']) ? answer['error'] : {};
  throw new ApiError(
    lineJson(error['code'] ?? `http-${response.status}`),
    lineJson(error['message'] ?? `The server of this page answered ${response.status}.`),
  );
}

/** Starts a call, and tells its number. @throws ApiError, with `not-confirmed` if a person has to agree first. */
export async function startCall(request: CallRequest): Promise<number> {
  const answer = await ask('POST', 'call', request);
  if (isObject(answer) && typeof answer['call'] === 'number') return answer['call'];
  throw new ApiError('protocol', 'The server of this page did not tell the number of the call.');
}

/** A call with as much of its values as the page's server keeps. @throws ApiError if it is not kept any more. */
export async function wholeCall(call: number): Promise<CallPicture> {
  const answer = await ask('GET', `calls/${call}`);
  if (isObject(answer)) return answer as unknown as CallPicture;
  throw new ApiError('protocol', 'The server of this page did not tell of the call.');
}

/** Cancels a call. That it ended is not an error. */
export async function cancelCall(call: number): Promise<void> {
  await ask('POST', `calls/${call}/cancel`).catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.code === 'not-live') throw error;
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
