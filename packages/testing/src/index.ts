export { createFaultyProxy } from './faulty-proxy.js';
export { FAULT_KINDS, type Direction, type Fault, type FaultKind } from './fault.js';
export type { FaultOptions, FaultyProxyOptions } from './options.js';
export { createRandom, type Random } from './random.js';
export type { FaultyProxy, RandomFaultOptions } from './types.js';

export { fakeClient } from './fake-client.js';
export type {
  FakeAnswer,
  FakeCall,
  FakeClient,
  FakeEvents,
  FakePrompt,
  FakeResource,
  Fakes,
  FakeTaskFunction,
  FakeToolContext,
  FakeToolDefinition,
  FakeToolFunction,
} from './fake-types.js';
export { recordTo, replayFrom, type ReplayOptions } from './recordings.js';
