import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** One event of a stream. */
export interface TappedEvent {
  event: string;
  data: string;
  id?: string;
}

/** A stream of events, read the plainest way there is, for what the library is compared with. */
export interface EventTap extends AsyncDisposable {
  /** Everything that came so far. */
  readonly events: readonly TappedEvent[];
  /** The next event of that name which was not returned yet; fails when none comes in time. */
  next(event: string): Promise<TappedEvent>;
  /** Whether the stream has ended, or was dropped. */
  ended(): boolean;
}

const waitMs = 60_000;

/** Opens a stream, and fails when the answer is no success. */
export async function openEvents(url: string, init: RequestInit = {}): Promise<EventTap> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`GET ${url} was answered with ${response.status}`);
  return readEvents(response);
}

/** Reads the body of an answer as a stream of events, whatever its content type. */
export function readEvents(response: Response): EventTap {
  const events: TappedEvent[] = [];
  const taken = new Map<string, number>();
  let ended = false;
  let wake = (): void => {};

  const parser = createParser({
    onEvent: ({ event = 'message', data, id }: EventSourceMessage) => {
      events.push({ event, data, ...(id === undefined ? {} : { id }) });
      wake();
    },
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const pump = async (): Promise<void> => {
    for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
      parser.feed(chunk.value);
    }
  };
  const pumped = pump()
    .catch(() => {})
    .finally(() => {
      ended = true;
      wake();
    });

  async function next(name: string): Promise<TappedEvent> {
    const index = taken.get(name) ?? 0;
    const endAt = Date.now() + waitMs;
    for (;;) {
      const found = events.filter(({ event }) => event === name)[index];
      if (found) {
        taken.set(name, index + 1);
        return found;
      }
      if (ended || Date.now() >= endAt) {
        throw new Error(`no event ${name} came; there were ${JSON.stringify(events)}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, endAt - Date.now());
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  return {
    events,
    next,
    ended: () => ended,
    [Symbol.asyncDispose]: async () => {
      await reader?.cancel().catch(() => {});
      await pumped;
    },
  };
}
