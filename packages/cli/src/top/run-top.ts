import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { summaryOf } from '../report-error.js';
import { Screen } from './screen.js';
import type { TopSource } from './source.js';
import { TopView, type TopRequest } from './view.js';

/** How often the screen is drawn while nobody presses a key, in milliseconds. */
const FRAME_MS = 250;

/** Shows a source on the terminal until a key or a signal ends that. */
export async function runTop(context: Context, source: TopSource): Promise<ExitCode> {
  const { terminal, stdin, interruptions } = context;
  const view = new TopView({
    picture: () => source.log.picture,
    now: () => Date.now() + (source.aheadMs ?? 0),
    replay: () => source.position,
    away: () => source.away,
    canCancel: () => source.servers !== undefined,
    colors: terminal.colors,
  });
  const takeBack = terminal.lend((line) => view.notify(line));
  const timers: NodeJS.Timeout[] = [];
  let screen: Screen | undefined;
  const draw = (): void => screen?.draw(view.frame(screen.columns, screen.rows));
  try {
    return await new Promise<ExitCode>((resolve) => {
      const { signal } = interruptions;
      if (signal.aborted) return resolve(130);
      signal.addEventListener('abort', () => resolve(130), { once: true });
      const serve = (request: TopRequest): void => {
        switch (request.type) {
          case 'quit':
            return resolve(0);
          case 'interrupt':
            return interruptions.interrupt();
          case 'suspend':
            return screen?.suspend();
          case 'redraw':
            return screen?.clear();
          case 'load':
            return void load(request.call);
          case 'cancel':
            return void cancel(request.call);
          case 'replay':
            // What is shown says what came of it.
            source.control?.(request.request).then(draw, () => undefined);
        }
      };
      const load = async (number: number): Promise<void> => {
        // Without it the beginning of large values is shown.
        const call = await source.call(number).catch(() => undefined);
        if (call !== undefined) view.setWhole(call);
        draw();
      };
      const cancel = async (number: number): Promise<void> => {
        try {
          const isCancelled = await source.servers?.cancel(number);
          view.notify(isCancelled === true ? 'It is cancelled.' : 'The call has ended meanwhile.');
        } catch (error) {
          view.notify(`It could not be cancelled: ${summaryOf(error)}`);
        }
        draw();
      };
      screen = new Screen({
        stdin,
        stdout: terminal.stdout,
        onKey: (key) => {
          const request = view.press(key);
          if (request !== undefined) serve(request);
          draw();
        },
        onChange: draw,
        onEnd: () => resolve(130),
      });
      draw();
      timers.push(setInterval(draw, FRAME_MS));
    });
  } finally {
    timers.forEach(clearInterval);
    screen?.[Symbol.dispose]();
    takeBack();
  }
}
