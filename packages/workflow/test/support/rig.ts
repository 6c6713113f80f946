import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createWorkflow,
  parseWorkflow,
  type DeadLetter,
  type RunLog,
  type Servers,
  type WorkflowOptions,
  type WorkflowRunner,
} from '../../src/index.ts';

/** A workflow that was started, and what it told. */
export interface Rig extends AsyncDisposable {
  runner: WorkflowRunner;
  /** The runs that are over. */
  runs: RunLog[];
  /** What the dead-letter file holds. */
  letters(): Promise<DeadLetter[]>;
}

/** Starts a workflow, with a dead-letter file of its own. */
export async function startWorkflow(
  text: string,
  servers: Servers,
  options: Partial<WorkflowOptions> = {},
): Promise<Rig> {
  const directory = await mkdtemp(join(tmpdir(), 'longwire-workflow-'));
  const runs: RunLog[] = [];
  const deadLetterFile = join(directory, 'dead.jsonl');
  const runner = createWorkflow(parseWorkflow(text, { file: 'w.yaml' }), {
    servers,
    deadLetterFile,
    log: (run) => void runs.push(run),
    ...options,
  });
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  await runner.start().catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {
    runner,
    runs,
    letters: async () => {
      const lines = await readFile(deadLetterFile, 'utf8').catch(() => '');
      return lines
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as DeadLetter);
    },
    [Symbol.asyncDispose]: async () => {
      await runner.stop();
      await remove();
    },
  };
}
