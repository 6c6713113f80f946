import pc from 'picocolors';
import type { ReplayPosition } from '../../src/dash/page-source.ts';
import type { Picture } from '@longwire/recording';
import type { Away } from '../../src/top/source.ts';
import { TopView, type TopRequest } from '../../src/top/view.ts';
import { NOW } from './scene.ts';

/** Special keys by the sign that stands for them in a text of keys. */
const NAMES: Readonly<Record<string, string>> = {
  '⏎': 'return',
  '⎋': 'escape',
  '⇥': 'tab',
  '↑': 'up',
  '↓': 'down',
  '←': 'left',
  '→': 'right',
  '⌫': 'backspace',
  ' ': 'space',
};

/** A view without colours on a picture, at a time. */
export class OpenTop {
  now: number = NOW;
  replay: ReplayPosition | undefined;
  away: Away | undefined;
  canCancel = true;
  readonly view: TopView;

  constructor(picture: Picture) {
    this.view = new TopView({
      picture: () => picture,
      now: () => this.now,
      replay: () => this.replay,
      away: () => this.away,
      canCancel: () => this.canCancel,
      colors: pc.createColors(false),
    });
  }

  /** Presses keys one after the other; what the last of them asks for. */
  press(keys: string): TopRequest | undefined {
    let request: TopRequest | undefined;
    for (const key of keys) {
      request = this.view.press({ name: NAMES[key] ?? key });
      // The lists are as they were seen last.
      this.rows();
    }
    return request;
  }

  rows(columns = 80, rows = 24): readonly string[] {
    return this.view.frame(columns, rows).rows;
  }

  text(columns = 80, rows = 24): string {
    return this.rows(columns, rows).join('\n');
  }
}
