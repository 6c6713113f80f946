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
 * - 6: the connection was lost or broke the protocol in the middle of a call, outcome unknown; what was
 *   answered has a known outcome, and is 1 at most.
 * - 130: interrupted.
 */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 130;

/** The exit code of a failure, by its code and certainty and never by its text. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof LongwireError)) return 1;
  switch (error.code) {
    case 'aborted':
      return 130;
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
    case 'server-error':
    case 'queue-full':
      return 1;
    default:
      // Another release of the library, or what a program threw in its name, may have other codes.
      return unknownCode(error.code);
  }
}

function unknownCode(_code: never): ExitCode {
  return 1;
}

/** What never left never met the server, what was answered has ended; the rest broke in the middle. */
function byCertainty(error: LongwireError, options: { refused: ExitCode }): ExitCode {
  if (error.certainty === 'not-sent') return 3;
  if (error.certainty === 'answered') return 1;
  return error.certainty === 'refused' ? options.refused : 6;
}
