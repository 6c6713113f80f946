/** What a client saw of the kit's tasks, tool by tool. */
export interface TaskReport {
  /** The text of a tool that is never a task. */
  echo: string;
  /** The text of the task `work`, and whether it was told a step while it ran. */
  work: string;
  told: boolean;
  only: string;
  ask: string;
  /** What was asked, each time. */
  questions: string[];
  /** `error: TEXT` of a result that is an error; the message of an error. */
  fail: string;
  broken: string;
  /** How a task is in the end that was cancelled. */
  cancelled: string;
  /** What somebody else is told of it. */
  other: string;
}

/** What is so of the kit. */
export const WHOLE_TASKS: TaskReport = {
  echo: 'Echo: hé',
  work: 'done',
  told: true,
  only: 'only',
  ask: 'Hello, Ada',
  questions: ['Who are you?'],
  fail: 'error: it failed',
  broken: 'it is broken',
  cancelled: 'cancelled',
  other: 'There is no such task: it has expired, or there never was one',
};

/** The text of a result, or of an error. */
export function resultText(result: unknown): string {
  const { content, isError } = result as { content: { text?: string }[]; isError?: boolean };
  return `${isError === true ? 'error: ' : ''}${content[0]?.text ?? ''}`;
}

/** What a call comes to. */
export async function textOrError(call: Promise<unknown>): Promise<string> {
  return await call.then(resultText, (error: unknown) =>
    error instanceof Error ? error.message : String(error),
  );
}

/** Arguments of `work`: two seconds of steps, or a minute of them. */
export const SOME_WORK = { steps: 20, stepMs: 100 };
export const LONG_WORK = { steps: 600, stepMs: 100 };
