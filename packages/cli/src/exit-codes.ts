import { LongwireError } from '@longwire/client';

/**
 * What the command ends with:
 *
 * - 0: done.
 * - 1: the tool or the server answered with an error.
 * - 2: wrong usage, found before anything was sent.
 * - 3: could not connect, or not an MCP server.
 * - 4: not authorized.
 * - 5: timed out.
 * - 6: the connection was lost or broke the protocol in the middle of a call, outcome unknown; an
 *   answered call has a known outcome, and is at most 1.
 * - 130: interrupted.
 */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 130;

/** The exit code of a failure, by its code and certainty and never by its text. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof LongwireError)) return 1;
  switch (error.code) {
    case 'aborted':
      // Somebody cancelled the task on its server; who leaves one is interrupted all the same.
      return error.taskId === undefined ? 130 : 1;
    case 'timeout':
    case 'deadline':
      return 5;
    case 'unauthorized':
    case 'forbidden':
      return 4;
    case 'connect-failed':
    case 'connect-timeout':
    case 'not-mcp':
      return 3;
    case 'invalid-arguments':
    case 'unknown-tool':
    case 'config':
      return error.certainty === 'not-sent' ? 2 : 1;
    case 'http-status':
      return byCertainty(error, { refused: 1 });
    case 'connection-lost':
    case 'closed':
    case 'protocol':
    case 'limit-exceeded':
      return byCertainty(error, { refused: 6 });
    case 'tool-error':
    case 'server-error':
    case 'queue-full':
      return 1;
    default:
      // Another version of the library, or a program's own error, may have other codes.
      return unknownCode(error.code);
  }
}

function unknownCode(_code: never): ExitCode {
  return 1;
}

/** By certainty: not sent, answered, or failed in the middle. */
function byCertainty(error: LongwireError, options: { refused: ExitCode }): ExitCode {
  if (error.certainty === 'not-sent') return 3;
  if (error.certainty === 'answered') return 1;
  return error.certainty === 'refused' ? options.refused : 6;
}
