import type { CallToolOptions, ClientOptions } from '@longwire/client';

/** The client under test: it finds out early and tries again soon, so that a run is short. */
export const CLIENT_OPTIONS: ClientOptions = {
  retry: { maxAttempts: 5, firstDelayMs: 5, maxDelayMs: 100, firstConnect: true },
  heartbeat: { silenceMs: 150, timeoutMs: 150 },
  timeouts: { connectMs: 500 },
};

/** As above, for a server that is a process, and takes its time to start. */
export const PROCESS_CLIENT_OPTIONS: ClientOptions = {
  ...CLIENT_OPTIONS,
  timeouts: { connectMs: 10_000 },
};

/** How long a call may take. A POST that is stalled shows in nothing but its idle time. */
export const CALL_LIMITS: { timeoutMs: number; deadlineMs: number } = {
  timeoutMs: 3000,
  deadlineMs: 10_000,
};

/** What a caller says whose call may run twice. */
export const MARKED: CallToolOptions = { idempotent: true };
