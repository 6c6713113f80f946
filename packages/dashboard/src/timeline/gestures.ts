import type { TimeRange } from '../state/filter.js';

/** Where a pointer is on the timeline. */
export interface PointerAt {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly isTouch: boolean;
  /** It is over the times, or asks with a key for the same. */
  readonly isOnRuler: boolean;
}

/** What gestures do. */
export interface GestureHandlers {
  /** The time at a place. */
  timeAt(x: number): number;
  /** A range is being dragged over; `undefined` when that ends. */
  onDrag(range: TimeRange | undefined): void;
  /** A range was dragged over, on the times or on the lanes. */
  onDragged(range: TimeRange, isOnRuler: boolean): void;
  onClick(x: number, y: number): void;
  /** Fingers moved the range: what was at these times is to be at these places. */
  onMove(held: readonly { readonly at: number; readonly x: number }[]): void;
}

/** A pointer that moves less was only pressed, in pixels. */
const DRAG_PX = 4;

interface Pressed {
  readonly begin: PointerAt;
  readonly at: number;
  last: PointerAt;
}

/**
 * Tells gestures apart: a mouse drags over a range, one finger moves the time, two fingers zoom it, and
 * what hardly moves is a click.
 */
export class Gestures {
  readonly #handlers: GestureHandlers;
  readonly #pressed = new Map<number, Pressed>();
  #isDragging = false;

  constructor(handlers: GestureHandlers) {
    this.#handlers = handlers;
  }

  down(pointer: PointerAt): void {
    const at = this.#handlers.timeAt(pointer.x);
    this.#pressed.set(pointer.id, { begin: pointer, at, last: pointer });
  }

  move(pointer: PointerAt): void {
    const pressed = this.#pressed.get(pointer.id);
    if (pressed === undefined) return;
    pressed.last = pointer;
    if (Math.abs(pointer.x - pressed.begin.x) >= DRAG_PX || this.#pressed.size > 1) {
      this.#isDragging = true;
    }
    if (!this.#isDragging) return;
    if (this.#isSelecting(pressed)) this.#handlers.onDrag(this.#rangeOf(pressed));
    else {
      this.#handlers.onMove([...this.#pressed.values()].map(({ at, last: { x } }) => ({ at, x })));
    }
  }

  up(pointer: PointerAt): void {
    const pressed = this.#pressed.get(pointer.id);
    if (pressed === undefined) return;
    pressed.last = pointer;
    const isDragging = this.#isDragging;
    this.cancel(pointer.id);
    if (!isDragging) this.#handlers.onClick(pointer.x, pointer.y);
    else if (this.#isSelecting(pressed)) {
      this.#handlers.onDragged(this.#rangeOf(pressed), pressed.begin.isOnRuler);
    }
  }

  /** A pointer, or all of them, counts no more. */
  cancel(id?: number): void {
    if (id === undefined) this.#pressed.clear();
    else this.#pressed.delete(id);
    if (this.#pressed.size > 0) return;
    this.#isDragging = false;
    this.#handlers.onDrag(undefined);
  }

  #isSelecting({ begin }: Pressed): boolean {
    return !begin.isTouch || (begin.isOnRuler && this.#pressed.size <= 1);
  }

  #rangeOf({ at, last }: Pressed): TimeRange {
    const other = this.#handlers.timeAt(last.x);
    return { from: Math.min(at, other), to: Math.max(at, other) };
  }
}
