import { InMemoryServerEventBus } from '@modelcontextprotocol/server';
import { vi } from 'vitest';
import { MemoryEventLog } from '../src/events/memory-event-log.ts';
import { MemoryRateStore } from '../src/limits/memory-rate-store.ts';
import { MemoryWorkQueue } from '../src/limits/memory-work-queue.ts';
import { MemorySessionStore } from '../src/sessions/session-store.ts';
import { MemoryTaskStore } from '../src/tasks/memory-task-store.ts';
import { describeEventBus } from './contracts/event-bus.ts';
import { describeEventLog } from './contracts/event-log.ts';
import type { Make, Made } from './contracts/made.ts';
import { describeRateStore } from './contracts/rate-store.ts';
import { describeSessionStore } from './contracts/session-store.ts';
import { describeTaskStore } from './contracts/task-store.ts';
import { describeWorkQueue } from './contracts/work-queue.ts';

/** Makes it where time is faked. */
function inFakeTime<Store, Options>(make: (options: Options) => Store): Make<Store, Options> {
  return async (options): Promise<Made<Store>> => {
    vi.useFakeTimers();
    return {
      store: make(options),
      advance: async (milliseconds) => {
        await vi.advanceTimersByTimeAsync(milliseconds);
      },
      close: async () => {
        vi.useRealTimers();
      },
    };
  };
}

describeSessionStore(
  'MemorySessionStore',
  inFakeTime(() => new MemorySessionStore()),
);
describeEventLog(
  'MemoryEventLog',
  inFakeTime((options) => new MemoryEventLog(options)),
);
describeRateStore(
  'MemoryRateStore',
  inFakeTime(() => new MemoryRateStore()),
);
describeTaskStore(
  'MemoryTaskStore',
  inFakeTime((options) => new MemoryTaskStore(options)),
);
describeEventBus(
  'InMemoryServerEventBus',
  inFakeTime(() => new InMemoryServerEventBus()),
);
describeWorkQueue(
  'MemoryWorkQueue',
  inFakeTime(() => new MemoryWorkQueue()),
);
