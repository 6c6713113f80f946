// The types of the client need those of Node.
/// <reference types="node" preserve="true" />

export { loadWorkflow, parseWorkflow } from './parse.js';
export { createWorkflow } from './workflow-runner.js';
export type { DeadLetter, DeadLetterEvent } from './dead-letter.js';
export type { WorkflowRunner, WorkflowStats } from './workflow-runner.js';
export type { WorkflowOptions } from './options.js';
export { readJournal, type JournalEntry } from './journal.js';
export { WorkflowError, type Position, type WorkflowProblem } from './errors.js';
export { workflowSchema } from './schema.js';
export type { NamedServer, Trigger, Workflow } from './definition.js';
export type { GivenEvent, WorkflowEvent } from './event.js';
export type { Failure, FailureCode } from './failure.js';
export type { Run, RunLog, RunOutcome, StepRecord, StepState } from './run.js';
export type { Source } from './source.js';
export type { Servers } from './tools.js';
export type { Taken } from './intake.js';
export { LineFile } from './line-file.js';
