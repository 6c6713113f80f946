import type { Workflow } from './definition.js';
import type { WorkflowOptions } from './options.js';
import { WorkflowRunner } from './workflow-runner.js';

/**
 * Makes a workflow over connected servers. Nothing happens before {@link WorkflowRunner.start}.
 *
 * @throws TypeError that names the option that is wrong.
 */
export function createWorkflow(workflow: Workflow, options: WorkflowOptions): WorkflowRunner {
  return new WorkflowRunner(workflow, options);
}
