import { batch, effect, signal } from '@preact/signals';
import type { CallPicture, Picture, ServerPicture } from '@longwire/recording';
import { Feed, type EventSourceLike } from './feed.js';

/** What feeds this page. */
export const feed: Feed = new Feed({
  open: () => new EventSource('api/stream') as EventSourceLike,
  beforeDraw: (run) => {
    // A page in the background draws nothing, and is to keep count all the same.
    if (document.hidden) setTimeout(() => batch(run), 1000);
    else requestAnimationFrame(() => batch(run));
  },
  diagnose,
});

/** The time that durations on the page end at, in milliseconds; a quarter of a second exact. */
export const now = signal(Date.now());

/** Begins to follow the server, and to count the time while the page is live. */
export function startPage(): void {
  feed.start();
  setInterval(() => {
    if (document.hidden || feed.liveness.value.state !== 'live') return;
    now.value = feed.replay.value?.at ?? feed.serverTime;
  }, 250);
  effect(() => {
    const replay = feed.replay.value;
    if (replay !== undefined) now.value = replay.at;
  });
}

/** The picture, for what draws servers. */
export function useServers(): ReadonlyMap<string, ServerPicture> {
  void feed.version('servers').value;
  return feed.picture.servers;
}

/** The picture, for what draws calls. */
export function useCalls(): Picture {
  void feed.version('calls').value;
  return feed.picture;
}

/** The picture, for what draws events. */
export function useEvents(): Picture {
  void feed.version('events').value;
  return feed.picture;
}

/** The picture, for what draws tools, resources and prompts. */
export function useCatalogue(): ReadonlyMap<string, ServerPicture> {
  void feed.version('catalogue').value;
  return feed.picture.servers;
}

/** A call of the picture, for what draws it while it goes on. */
export function useCall(call: number): CallPicture | undefined {
  return useCalls().find(call);
}

async function diagnose(): Promise<string> {
  try {
    const { status } = await fetch('./', { cache: 'no-store' });
    if (status !== 401) return 'The server of this page refused the stream.';
    // What only shows, and is no recording, is the server itself, which prints no address.
    return feed.shows.value.canCall || feed.replay.value !== undefined
      ? 'The server of this page was started anew. Open the address that it printed.'
      : 'The server of this page does not know you any more. Open its address again.';
  } catch {
    return 'The server of this page does not answer.';
  }
}
