import { LongwireError } from '@longwire/client';

/** A place in a workflow file; both count from 1. */
export interface Position {
  line: number;
  column: number;
}

/** One thing that is wrong with a workflow file. */
export interface WorkflowProblem extends Position {
  /** What is wrong and what to write instead, without the place. */
  message: string;
}

/**
 * A workflow file that cannot be run (code `config`). The message has a line for each problem, as
 * `file:line:column: what is wrong`.
 */
export class WorkflowError extends LongwireError {
  override readonly name: string = 'WorkflowError';
  /** The file, as it was named. */
  readonly file: string;
  /** All that is wrong, in the order of the file. */
  readonly problems: readonly WorkflowProblem[];

  constructor(file: string, problems: readonly WorkflowProblem[]) {
    const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
    const lines = sorted.map(
      ({ line, column, message }) => `${file}:${line}:${column}: ${message}`,
    );
    super(lines.join('\n'), { code: 'config', certainty: 'not-sent' });
    this.file = file;
    this.problems = sorted;
  }
}

/** A server or a trigger that the workflow does not have. */
export function unknownName(what: string, names: readonly string[]): LongwireError {
  const options = { code: 'config', certainty: 'not-sent' } as const;
  return new LongwireError(`${what}; there are ${names.join(', ')}`, options);
}

/** Each problem once, however many steps have it. */
export function distinctProblems(problems: readonly WorkflowProblem[]): WorkflowProblem[] {
  return [...new Map(problems.map((one) => [JSON.stringify(one), one])).values()];
}
