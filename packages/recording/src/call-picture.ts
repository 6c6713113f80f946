import type { CallLine, EndLine, ProgressLine, RecordedError, TaskLine } from './format.js';

/** One time that a call left. */
export interface AttemptPicture {
  readonly attempt: number;
  readonly at: number;
  readonly id?: number | string;
  /** Why it was sent again: the connection was lost between this attempt and the one before. */
  readonly cause?: RecordedError;
  /** When the attempt before was lost with its connection. */
  readonly lostAt?: number;
}

/** A call, from its begin to its end. */
export interface CallPicture {
  readonly call: number;
  readonly server: string;
  readonly method: string;
  readonly name?: string;
  readonly arguments?: unknown;
  readonly by?: CallLine['by'];
  readonly at: number;
  readonly attempts: AttemptPicture[];
  progress?: Pick<ProgressLine, 'at' | 'progress' | 'total' | 'message'>;
  /** The task of its server that it has become, and since when. */
  task?: Pick<TaskLine, 'at' | 'taskId' | 'status'>;
  /** Missing while it is in flight. */
  end?: Pick<EndLine, 'at' | 'outcome' | 'durationMs' | 'result' | 'error'>;
}
