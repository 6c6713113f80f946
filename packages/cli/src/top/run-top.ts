import type { Context } from '../context.js';
import type { PageSource } from '../dash/page-source.js';
import type { ExitCode } from '../exit-codes.js';
import { Screen } from './screen.js';
import { TopView, type TopRequest } from './view.js';

/** How often the screen is drawn while nobody presses a key, in milliseconds. */
const FRAME_MS = 250;

/** Shows a source on the terminal until a key or a signal ends that. */
export async function runTop(context: Context, source: PageSource): Promise<ExitCode> {
  const { terminal, stdin, interruptions } = context;
  const view = new TopView({
    picture: () => source.log.picture,
    now: Date.now,
    replay: () => source.position,
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
          case 'cancel': {
            const isCancelled = source.servers?.cancel(request.call) === true;
            return view.notify(isCancelled ? 'It is cancelled.' : 'The call has ended meanwhile.');
          }
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
