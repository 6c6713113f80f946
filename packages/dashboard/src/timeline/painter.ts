import { effect, signal } from '@preact/signals';
import { filterRange, textFilter, type TimeRange } from '../state/filter.js';
import { feed, now } from '../state/page.js';
import { route } from '../state/route.js';
import { theme } from '../state/theme.js';
import { readColours, type Colours } from './colours.js';
import { draw, RULER_HEIGHT } from './draw.js';
import { itemAt, itemsInOrder, keyOfItem, type Item, type PlacedItem } from './items.js';
import { Labels } from './labels.js';
import { Lanes } from './lanes.js';
import { layoutOf, type Layout, type Place } from './layout.js';
import { keptFrom, shown, shownRange, timeNow } from './range.js';
import type { CallSpan } from './spans.js';

/** The width of the names beside the lanes, in pixels; on narrower screens they are above them. */
const NAME_WIDTH = 150;
const NARROW_PX = 640;
const NAME_HEIGHT = 18;
/** What follows now is drawn again when it has moved by a pixel, but no more often or seldom than that. */
const LEAST_MS = 16;
const MOST_MS = 250;
/** How often it is told in words what is drawn. */
const TOLD_MS = 200;

/** What the canvas is on, and what lies over it. */
export interface PainterElements {
  readonly canvas: HTMLCanvasElement;
  /** Takes the pointer, and scrolls where there are more lanes than fit. */
  readonly scroller: HTMLElement;
  /** As high as all lanes. */
  readonly space: HTMLElement;
}

/** Draws the timeline whenever what it shows has changed, at most once a frame. */
export class Painter {
  /** What is under the pointer, and what keys went to. */
  readonly pointed = signal<Item | undefined>(undefined);
  readonly active = signal<Item | undefined>(undefined);
  /** What is being dragged over. */
  readonly dragged = signal<TimeRange | undefined>(undefined);
  /** Counts the times that it was drawn, but not each of them: for what is told in words. */
  readonly told = signal(0);
  readonly #lanes = new Lanes();
  #elements: PainterElements | undefined;
  #labels: Labels | undefined;
  #colours: Colours | undefined;
  #layout: Layout | undefined;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #telling: ReturnType<typeof setTimeout> | undefined;

  /** Where everything was when it was drawn. */
  get layout(): Layout | undefined {
    return this.#layout;
  }

  /** Begins to draw; the function returned ends that. */
  start(elements: PainterElements): () => void {
    const { scroller, canvas } = elements;
    this.#elements = elements;
    const context = canvas.getContext('2d', { alpha: false });
    if (context !== null) this.#labels = new Labels(context);
    const again = (): void => this.#request();
    const restyle = (): void => {
      this.#colours = undefined;
      again();
    };
    const observer = new ResizeObserver(again);
    observer.observe(scroller);
    const isDark = matchMedia('(prefers-color-scheme: dark)');
    isDark.addEventListener('change', restyle);
    scroller.addEventListener('scroll', again);
    const stops = [
      effect(() => {
        void theme.value;
        restyle();
      }),
      effect(() => {
        for (const part of ['servers', 'calls'] as const) void feed.version(part).value;
        void [now.value, shown.value, textFilter.value, filterRange.value, route.value];
        void [this.pointed.value, this.active.value, this.dragged.value, feed.replay.value];
        again();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      observer.disconnect();
      isDark.removeEventListener('change', restyle);
      scroller.removeEventListener('scroll', again);
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#timer);
      clearTimeout(this.#telling);
      this.#telling = undefined;
      this.#elements = undefined;
    };
  }

  /** What is at a place of the canvas. */
  itemUnder(x: number, y: number): Item | undefined {
    if (this.#layout === undefined || this.#elements === undefined) return undefined;
    if (y < RULER_HEIGHT || x < this.#layout.scale.left) return undefined;
    const { scrollTop } = this.#elements.scroller;
    return itemAt(this.#layout, x, y - RULER_HEIGHT + scrollTop)?.item;
  }

  /** What can be gone to by keys, in the order of time. */
  get items(): readonly PlacedItem[] {
    return this.#layout === undefined ? [] : itemsInOrder(this.#layout);
  }

  /** The span that a call is drawn in. */
  spanOf(call: number): CallSpan | undefined {
    return this.#lanes.find(call);
  }

  /** Where an item is, if it is shown. */
  placeOf(item: Item): Place | undefined {
    const key = keyOfItem(item);
    return this.items.find((one) => keyOfItem(one.item) === key)?.place;
  }

  /** Lays out what is shown now, without drawing it. */
  layOut(): Layout | undefined {
    if (this.#elements === undefined) return undefined;
    const { clientWidth: width } = this.#elements.scroller;
    const left = width < NARROW_PX ? 0 : NAME_WIDTH;
    const at = timeNow();
    this.#lanes.update(feed.picture);
    const { call } = textFilter.value;
    this.#layout = layoutOf({
      servers: feed.picture.servers.values(),
      laneOf: (server) => this.#lanes.lane(server),
      scale: { ...shownRange(at), left, width: Math.max(1, width - left) },
      now: at,
      keptFrom: keptFrom(),
      fits: (one) => call(one, at),
      nameHeight: left === 0 ? NAME_HEIGHT : 0,
      before: this.#layout,
    });
    return this.#layout;
  }

  #request(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint(): void {
    const layout = this.layOut();
    const labels = this.#labels;
    if (this.#elements === undefined || layout === undefined || labels === undefined) return;
    const { canvas, scroller, space } = this.#elements;
    this.#colours ??= readColours(canvas);
    space.style.height = `${RULER_HEIGHT + layout.height}px`;
    const { clientWidth: width, clientHeight: height } = scroller;
    const context = sized(canvas, width, height);
    if (context === null) return;
    const replay = feed.replay.value;
    const opened = Number(route.value.parts[0] ?? Number.NaN);
    draw({
      context,
      labels,
      colours: this.#colours,
      layout,
      width,
      height,
      scrollTop: scroller.scrollTop,
      nameWidth: layout.scale.left,
      opened: Number.isNaN(opened) ? undefined : opened,
      pointed: this.pointed.value,
      active: this.active.value,
      filtered: filterRange.value,
      dragged: this.dragged.value,
      cursor: replay?.at,
    });
    this.#tell();
    this.#followNow(layout);
  }

  #tell(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.told.value++;
    }, TOLD_MS);
  }

  /** While it follows now, everything moves. */
  #followNow({ scale }: Layout): void {
    clearTimeout(this.#timer);
    const isMoving = shown.value.kind === 'follow' && feed.replay.value === undefined;
    if (!isMoving || feed.liveness.value.state !== 'live' || document.hidden) return;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const msPerPx = (scale.to - scale.from) / scale.width;
    if (msPerPx > MOST_MS) return;
    this.#timer = setTimeout(() => this.#request(), Math.max(LEAST_MS, msPerPx));
  }
}

/** The context of a canvas that is so large, and as sharp as the screen. */
function sized(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D | null {
  const ratio = devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d', { alpha: false });
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
