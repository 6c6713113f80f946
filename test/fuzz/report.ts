import type { CommandTarget } from '@longwire/client';
import type { Watched } from './block-watch.ts';

/** What a subject is to do with the server of a case. */
export interface Assignment {
  target: string | CommandTarget;
  listens: boolean;
}

/** How an operation ended. */
export interface Settled {
  operation: string;
  /** What was wrong with a result; none for one that is as promised. */
  malformed?: string;
  error?: ReportedError;
}

/** An error as it was thrown. */
export interface ReportedError {
  name: string;
  /** Whether it is one of the library's own. */
  isOurs: boolean;
  code: unknown;
  certainty: unknown;
  message: string;
}

/** What a process knows of itself at the end of a case. */
export interface Vitals extends Watched {
  /** What is on the heap after a collection. */
  heapBytes: number;
  /** Kinds of resources that were not open before. */
  leftOpen: string[];
  /** Whether `Object.prototype` has properties that it did not have. */
  isPolluted: boolean;
}

/** Written to stdout and stderr at the end of a case: what comes before it belongs to the case. */
export const END_OF_OUTPUT = '\u0004end of case\u0004';

/** What a subject says. */
export type SubjectMessage =
  | { type: 'ready' }
  | { type: 'began'; operation: string }
  | ({ type: 'settled' } & Settled)
  | { type: 'unhandled'; reason: string }
  | ({ type: 'done' } & Vitals);

/** All that is known of a case that was run. */
export interface CaseReport {
  /** Operations that have not ended, when they should have. */
  pending: string[];
  settled: Settled[];
  /** What nobody handled: rejections, exceptions, warnings. */
  unhandled: string[];
  vitals: Vitals | undefined;
  /** How the process ended, if it did and was not asked to. */
  died: string | undefined;
  stdout: string;
  stderr: string;
  /** Of a command. */
  exitCode: number | undefined;
  /** Connections that were open at the server some time after the client was closed. */
  openAtServer: number;
}
