import type { CallPicture, Picture } from '@longwire/recording';
import { callDetails, eventDetails, serverDetails, type Details } from './details.js';
import { HELP } from './keys.js';
import { folded, line, span, type ScreenLine } from './spans.js';

/** What is opened in place of the lists. */
export type Opened =
  | { readonly is: 'help' }
  | { readonly is: 'call' | 'event'; readonly id: number }
  | { readonly is: 'server'; readonly id: string };

/** How it is drawn. */
export interface OpenedSpace {
  readonly picture: Picture;
  readonly at: number;
  readonly width: number;
  readonly height: number;
}

/** All that is known of one thing, as a text that scrolls. It follows what happens to that thing. */
export class OpenedView {
  readonly opened: Opened;
  #first = 0;
  #count = 0;
  #page = 1;
  #whole: CallPicture | undefined;

  constructor(opened: Opened) {
    this.opened = opened;
  }

  /** Gives the values of a call as a whole: the picture has the beginning of large ones. */
  setWhole(call: CallPicture): void {
    this.#whole = call;
  }

  /** Scrolls, if this key does. */
  press(name: string): void {
    const steps: Readonly<Record<string, number>> = {
      j: 1,
      down: 1,
      k: -1,
      up: -1,
      pagedown: this.#page,
      pageup: -this.#page,
      g: -Infinity,
      home: -Infinity,
      G: Infinity,
      end: Infinity,
    };
    this.#scrollTo(this.#first + (steps[name] ?? 0));
  }

  /** A head, and as much of the text as there is room for. */
  lines(space: OpenedSpace): ScreenLine[] {
    const { title, lines } = this.#details(space);
    this.#page = Math.max(1, space.height - 1);
    this.#count = lines.length;
    this.#scrollTo(this.#first);
    const end = Math.min(this.#first + this.#page, lines.length);
    const isWhole = lines.length <= this.#page;
    const place = isWhole ? '' : `  lines ${this.#first + 1} to ${end} of ${lines.length}`;
    const head = { spans: [span(title, 'heading'), span(place, 'quiet')] };
    return [head, ...lines.slice(this.#first, end)];
  }

  #details({ picture, at, width }: OpenedSpace): Details {
    switch (this.opened.is) {
      case 'help':
        return helpDetails(width);
      case 'server': {
        const server = picture.servers.get(this.opened.id);
        return server === undefined ? GONE : serverDetails(server, width, at);
      }
      case 'call': {
        const call = picture.find(this.opened.id);
        if (call === undefined) return GONE;
        return callDetails(withValues(call, this.#whole), picture, width, at);
      }
      case 'event': {
        const { id } = this.opened;
        const event = picture.events.find(({ seq }) => seq === id);
        return event === undefined ? GONE : eventDetails(event, width);
      }
    }
  }

  #scrollTo(row: number): void {
    this.#first = Math.max(0, Math.min(row, this.#count - this.#page));
  }
}

/** A call as it is now, with the values that were loaded. */
function withValues(call: CallPicture, whole: CallPicture | undefined): CallPicture {
  if (whole === undefined) return call;
  const { arguments: given, end } = whole;
  return {
    ...call,
    ...(given !== undefined && { arguments: given }),
    ...(call.end !== undefined && end !== undefined && { end: { ...call.end, ...end } }),
  };
}

const GONE: Details = { title: 'This is not kept any more', lines: [] };

/** How far what a key does is from the left. */
const DOES = 18;

function helpDetails(width: number): Details {
  return {
    title: 'Keys',
    lines: HELP.flatMap(([title, lines]) => [
      line(title.toUpperCase(), 'strong'),
      ...lines.flatMap(([keys, does]) => {
        const spans = [span(`  ${keys}`.padEnd(DOES)), span(does, 'quiet')];
        return folded({ spans }, width, DOES);
      }),
    ]),
  };
}
