import { serverError } from '../connection/failures.js';
import { LongwireError, ServerError } from '../errors.js';
import type { TaskEnd } from './followed.js';

/** What a call fails with whose task has ended without a result. */
export function endedError(
  end: Exclude<TaskEnd, { how: 'completed' }>,
  { what, taskId, isProcess }: { what: string; taskId: string; isProcess: boolean },
): LongwireError {
  const task = `the task ${taskId}`;
  const subject = what === task ? task : `${what}, which is ${task},`;
  switch (end.how) {
    case 'failed':
      return serverError(what, end.error, taskId);
    case 'cancelled': {
      const said = end.message === undefined ? '' : `: ${end.message}`;
      return new LongwireError(
        `${subject} was cancelled on the server, where a part of it may have run${said}`,
        { code: 'aborted', certainty: 'outcome-unknown', taskId },
      );
    }
    case 'no-result':
      return new LongwireError(
        `${subject} has ended, and its server gives no result object for it`,
        {
          code: 'protocol',
          certainty: 'answered',
          taskId,
        },
      );
    case 'gone':
      return new ServerError(
        `${subject} is not known to its server: ` +
          `${isProcess ? 'it was lost with the process of its server' : 'it has expired, or was lost'}; ` +
          'it may or may not have run to its end',
        {
          number: end.cause.number,
          data: end.cause.data,
          certainty: 'outcome-unknown',
          taskId,
          cause: end.cause,
        },
      );
    case 'unknown':
      return new LongwireError(
        `${subject} goes on, or has ended: its server does not say which: ${end.problem}`,
        {
          code: end.cause instanceof LongwireError ? end.cause.code : 'protocol',
          certainty: 'outcome-unknown',
          hint: 'ask again later, with client.task(taskId)',
          taskId,
          cause: end.cause,
        },
      );
    case 'unanswerable': {
      // It failed here, and not on its way to the server.
      const isOwn = end.cause !== undefined && !(end.cause instanceof LongwireError);
      return new LongwireError(
        `${subject} was cancelled, because what it asks for cannot be answered: ${end.problem}`,
        {
          code: 'protocol',
          certainty: 'outcome-unknown',
          ...(isOwn && {
            hint: 'see that the client has a handler for it, in its option handlers',
          }),
          taskId,
          cause: end.cause,
        },
      );
    }
  }
}
