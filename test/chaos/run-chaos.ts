import { setTimeout as delay } from 'node:timers/promises';
import {
  createClient,
  LongwireError,
  type CallToolOptions,
  type CallToolResult,
  type LongwireClient,
} from '@longwire/client';
import { createRandom, type FaultKind } from '@longwire/testing';
import { CallRecords } from './call-records.ts';
import { drawCall, resultText } from './calls.ts';
import { CALL_LIMITS, MARKED } from './client-options.ts';
import { checkOpen, checkRun, type Violation } from './check-run.ts';
import { startRig, type Rig } from './rig.ts';
import { countCalls, type ChaosSummary, type MemorySample } from './summary.ts';
import type { Variant } from './variants.ts';

/** How a tool is called. */
export type Caller = (
  client: LongwireClient,
  tool: string,
  args: Record<string, unknown>,
  options: CallToolOptions,
) => Promise<CallToolResult>;

/** What a run is made of. */
export interface ChaosOptions {
  /** What the calls are made over. */
  variant: Variant;
  calls: number;
  /** How many faults strike while the calls are made. */
  faults: number;
  /** What all that is random follows from. */
  seed: number;
  /** How many calls are in flight at a time. Default 32. */
  concurrency?: number;
  /** How often each kind of fault comes in proportion to the others. */
  weights?: Partial<Record<FaultKind, number>>;
  /** Told after every call. */
  onProgress?: (done: { settled: number; faults: number }) => void;
  /** Default: as the client does it. Another one shows whether the check would notice. */
  call?: Caller;
}

/** So many faults late, the next ones wait for nothing. */
const LATE_FAULTS = 2;
/** The part of a run by whose end all faults have struck. */
const FAULTY_PART = 0.95;
/** How long after its deadline a call counts as hung: more than any machine is late by. */
const HUNG_AFTER_MS = CALL_LIMITS.deadlineMs + 20_000;
/** How long what is being closed may take. */
const CLOSING_MS = 10_000;
const CLOSING_STEP_MS = 20;
/** How much the heap may grow between a quarter and the end of a run. */
const MAX_GROWTH_BYTES = 8 * 2 ** 20;
const COLLECTIONS = 4;
const COLLECTING_MS = 50;
/** In shorter runs what grows is what is being compiled. */
const MEMORY_CALLS = 20_000;

/**
 * Makes calls to a server over a connection that breaks, and checks their outcomes. It is fulfilled
 * whatever happens: what went wrong is in `violations`.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosSummary> {
  const { calls, seed, variant } = options;
  const records = new CallRecords(calls);
  const violations: Violation[] = [];
  const onBreach = (what: string): void => void violations.push({ kind: 'server-breach', what });
  await using rig = await startRig({
    variant,
    seed,
    weights: options.weights,
    onRun: (key) => {
      if (!records.run(key)) onBreach(`a call that nobody made: ${key}`);
    },
    onBreach,
  });
  const { server } = rig;
  await using client = createClient(rig.target, rig.clientOptions);
  let timesReady = 0;
  client.on('state', ({ name }) => {
    if (name === 'ready') timesReady += 1;
  });
  let isReceived = false;
  client.on('toolsChanged', () => {
    isReceived = true;
  });
  // The list says what is annotated as safe.
  await client.listTools();

  const memory: MemorySample[] = [];
  const run = new Run(client, rig, records, options);
  for (const part of [1, 2, 3, 4]) {
    await run.upTo(Math.round((calls * part) / 4));
    if (part === 3) continue;
    const when = `after ${run.settled} calls`;
    const check = (): Violation[] => checkOpen({ sessions: server.liveSessions() }, 1, when);
    violations.push(...(await afterClosing(check)));
    memory.push(await sampleMemory(run.settled));
  }
  // What arrives now was sent now.
  isReceived = false;
  const checkReceiving = (): Violation[] => {
    server.announce();
    return isReceived
      ? []
      : [{ kind: 'not-received', what: 'what the server said after the last call' }];
  };
  violations.push(...(await afterClosing(checkReceiving)));
  await client.close();
  violations.push(...checkRun(records, (key) => records.executionsOf(key)));
  const check = (): Violation[] => {
    const open = { streams: server.openStreams(), connections: rig.open() };
    return checkOpen(open, 0, 'after the client was closed');
  };
  violations.push(...(await afterClosing(check)), ...checkMemory(memory));
  return {
    seed,
    variant: variant.name,
    calls,
    faults: { ...rig.mishaps },
    faultCount: countOf(rig),
    ...countCalls(records, (key) => records.executionsOf(key)),
    sessions: server.openedSessions(),
    resumptions: server.resumptions(),
    reconnects: timesReady - 1,
    memory,
    violations,
  };
}

/** The calls of a run, and the faults that go with them. */
class Run {
  readonly #client: LongwireClient;
  readonly #rig: Rig;
  readonly #records: CallRecords;
  readonly #options: ChaosOptions;
  #begun = 0;
  settled = 0;

  constructor(client: LongwireClient, rig: Rig, records: CallRecords, options: ChaosOptions) {
    this.#client = client;
    this.#rig = rig;
    this.#records = records;
    this.#options = options;
  }

  /** Makes calls until this many were made, and waits for all of them. */
  async upTo(calls: number): Promise<void> {
    const caller = async (): Promise<void> => {
      while (this.#begun < calls) {
        await this.#makeCall(this.#begun++);
        this.settled += 1;
        this.#injectFault();
        this.#options.onProgress?.({ settled: this.settled, faults: countOf(this.#rig) });
      }
    };
    await Promise.all(Array.from({ length: this.#options.concurrency ?? 32 }, caller));
  }

  async #makeCall(key: number): Promise<void> {
    const records = this.#records;
    const { kind, tool, args } = drawCall(key, createRandom(this.#options.seed, key));
    const { call = callDirectly } = this.#options;
    records.begin(key, kind);
    const callOptions: CallToolOptions = {
      ...CALL_LIMITS,
      ...(kind === 'marked' && MARKED),
      onProgress: () => records.progress(key),
    };
    const settled = call(this.#client, tool, { ...args }, callOptions).then(
      ({ content, isError }) => {
        const [block] = content;
        const text = block?.type === 'text' ? block.text : undefined;
        records.succeed(key, isError !== true && text === resultText(tool, args));
      },
      (error: unknown) => {
        const { code, certainty } = error instanceof LongwireError ? error : {};
        records.fail(key, code, certainty);
      },
    );
    let watchdog: NodeJS.Timeout | undefined;
    const timedOut = new Promise((resolve) => {
      watchdog = setTimeout(resolve, HUNG_AFTER_MS);
    });
    await Promise.race([settled, timedOut]);
    clearTimeout(watchdog);
  }

  /** Keeps the faults in step with the calls. One that waits for its byte may never strike. */
  #injectFault(): void {
    const { calls, faults } = this.#options;
    const due = faults * Math.min(1, this.settled / (calls * FAULTY_PART));
    const late = due - countOf(this.#rig);
    if (late >= 1) this.#rig.strike(late > LATE_FAULTS);
  }
}

function countOf({ mishaps }: Rig): number {
  return Object.values(mishaps).reduce((sum, count) => sum + count, 0);
}

const callDirectly: Caller = (client, tool, args, options) => client.callTool(tool, args, options);

function checkMemory(memory: readonly MemorySample[]): Violation[] {
  const [quarter, , whole] = memory;
  if (quarter === undefined || whole === undefined) return [];
  if (globalThis.gc === undefined || whole.calls < MEMORY_CALLS) return [];
  const grownBytes = whole.heapUsedBytes - quarter.heapUsedBytes;
  if (grownBytes <= MAX_GROWTH_BYTES) return [];
  return [{ kind: 'memory-grew', what: `the heap by ${grownBytes} bytes after a quarter` }];
}

/** What one collection finds to be finished, the next one frees. */
async function sampleMemory(calls: number): Promise<MemorySample> {
  for (let round = 0; round < COLLECTIONS && globalThis.gc !== undefined; round++) {
    globalThis.gc();
    await delay(COLLECTING_MS);
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { calls, heapUsedBytes: heapUsed, rssBytes: rss };
}

/** Checks once everything is closed or received, or the time is over. */
async function afterClosing(check: () => Violation[]): Promise<Violation[]> {
  for (let waitedMs = 0; waitedMs < CLOSING_MS && check().length > 0; waitedMs += CLOSING_STEP_MS) {
    await delay(CLOSING_STEP_MS);
  }
  return check();
}
