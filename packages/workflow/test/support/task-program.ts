import { connect, type ProtocolVersion } from '@longwire/client';
import { createWorkflow, parseWorkflow, type RunLog, type StepTask } from '@longwire/workflow';
import { ClassicLevel } from 'classic-level';

/** What the program is started with. */
export interface TaskProgramOptions {
  url: string;
  protocol: ProtocolVersion;
  journal: string;
  workflow: string;
  /** An event that it pushes. Default: it resumes what is in the journal. */
  push?: { name: string; data: unknown };
  /** It never writes this state of a step, as if it were killed right before. */
  holds?: string;
  /** It answers what a server asks for; otherwise it only tells of it. */
  answers?: boolean;
}

/** What the program tells. */
export type Told =
  | { type: 'wrote'; state: string; task?: StepTask }
  | { type: 'held'; state: string }
  | { type: 'asked'; message: string }
  | { type: 'run'; run: RunLog };

/** Runs a workflow with a journal until all runs are over, or it is killed. */
const { url, protocol, journal, workflow, push, holds, answers } = JSON.parse(
  process.argv[2] ?? '',
) as TaskProgramOptions;

/** Fulfilled when it has been told. */
const tell = (told: Told): Promise<void> =>
  new Promise((resolve) => process.send?.(told, () => resolve()));
const never = new Promise<never>(() => {});

const { put } = ClassicLevel.prototype;
ClassicLevel.prototype.put = async function (
  this: ClassicLevel,
  key: string,
  value: unknown,
  options?: object,
) {
  const { state = '', task } = value as { state?: string; task?: StepTask };
  if (state !== '' && state === holds) {
    await tell({ type: 'held', state });
    await never;
  }
  await put.call(this, key, value as string, options ?? {});
  if (state !== '') await tell({ type: 'wrote', state, ...(task !== undefined && { task }) });
} as typeof put;

const client = await connect(url, {
  name: 'shop',
  protocol,
  handlers: {
    elicitation: async ({ message }) => {
      await tell({ type: 'asked', message });
      return answers === true ? { action: 'accept', content: { name: 'Ada' } } : never;
    },
  },
});
const runner = createWorkflow(parseWorkflow(workflow), {
  servers: { shop: client },
  journal,
  log: (run) => tell({ type: 'run', run }),
});
await runner.start();
if (push !== undefined) await runner.push(push);
await runner.idle();
await runner.close();
await client.close();
process.disconnect();
