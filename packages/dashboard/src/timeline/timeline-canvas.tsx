import type { TargetedKeyboardEvent, TargetedPointerEvent, TargetedWheelEvent } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { useSignalEffect } from '@preact/signals';
import { filterRange } from '../state/filter.js';
import { RULER_HEIGHT } from './draw.js';
import { Gestures, type PointerAt } from './gestures.js';
import { ItemList } from './item-list.js';
import { followKey } from './keys.js';
import type { Painter } from './painter.js';
import { openItem } from './open-item.js';
import { hold, panBy, zoomBy } from './range.js';
import { rangeHolding, timeAt } from './scale.js';
import { Tip } from './tip.js';

/** A step of a wheel makes the range so many times as long. */
const WHEEL_FACTOR = 1.0015;
const WHEEL_PAN = 0.001;

/** The lanes, and what takes the pointer and the keys over them. */
export function TimelineCanvas({ painter }: { painter: Painter }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const space = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (canvas.current === null || scroller.current === null || space.current === null) return;
    return painter.start({
      canvas: canvas.current,
      scroller: scroller.current,
      space: space.current,
    });
  }, [painter]);
  const gestures = useMemo(() => gesturesOf(painter), [painter]);

  // What keys went to is scrolled into view.
  useSignalEffect(() => {
    if (painter.active.value === undefined) return;
    const element = scroller.current;
    const place = painter.placeOf(painter.active.value);
    if (element === null || place === undefined) return;
    const room = element.clientHeight - RULER_HEIGHT;
    if (place.y < element.scrollTop) element.scrollTop = place.y - 20;
    else if (place.y + place.height > element.scrollTop + room) {
      element.scrollTop = place.y + place.height - room + 20;
    }
  });

  const onPointerMove = (event: TargetedPointerEvent<HTMLDivElement>): void => {
    const pointer = pointerOf(event);
    gestures.move(pointer);
    const { x, y } = pointer;
    painter.pointed.value = pointer.isTouch ? undefined : painter.itemUnder(x, y);
  };
  const onWheel = (event: TargetedWheelEvent<HTMLDivElement>): void => {
    const { layout } = painter;
    const { x } = pointerOf(event);
    // Over the names it scrolls.
    if (layout === undefined || x < layout.scale.left) return;
    event.preventDefault();
    const { deltaX, deltaY, shiftKey, deltaMode } = event;
    const unit = deltaMode === 0 ? 1 : 30;
    const along = shiftKey && deltaX === 0 ? deltaY : deltaX;
    if (Math.abs(along) > Math.abs(deltaY) || shiftKey) return panBy(along * unit * WHEEL_PAN);
    zoomBy(WHEEL_FACTOR ** (deltaY * unit), timeAt(layout.scale, x));
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') gestures.cancel();
    if (followKey(event.key, painter)) event.preventDefault();
  };
  // It may have moved out of what is shown.
  void painter.told.value;
  const { active } = painter;
  const isShown = active.value !== undefined && painter.placeOf(active.value) !== undefined;
  return (
    <div class="timeline-lanes">
      <canvas ref={canvas} aria-hidden="true" />
      <div
        ref={scroller}
        class="timeline-scroll"
        role="listbox"
        aria-label="Calls and states of the connections, in the order of time"
        aria-describedby="timeline-keys"
        aria-activedescendant={isShown ? 'timeline-active' : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onWheel={onWheel}
        onPointerDown={(event) => {
          const element = event.currentTarget;
          // Not the bar that scrolls.
          if (event.button !== 0 || pointerOf(event).x >= element.clientWidth) return;
          element.setPointerCapture(event.pointerId);
          painter.active.value = undefined;
          gestures.down(pointerOf(event));
        }}
        onPointerMove={onPointerMove}
        onPointerUp={(event) => gestures.up(pointerOf(event))}
        onPointerCancel={({ pointerId }) => gestures.cancel(pointerId)}
        onPointerLeave={() => (painter.pointed.value = undefined)}
      >
        <div ref={space} role="presentation" />
        <ItemList painter={painter} />
      </div>
      <Tip painter={painter} scroller={scroller} />
    </div>
  );
}

function gesturesOf(painter: Painter): Gestures {
  return new Gestures({
    timeAt: (x) => (painter.layout === undefined ? 0 : timeAt(painter.layout.scale, x)),
    onDrag: (range) => (painter.dragged.value = range),
    onDragged: (range, isOnRuler) => {
      if (isOnRuler) filterRange.value = range;
      else hold(range);
    },
    onClick: (x, y) => {
      const item = painter.itemUnder(x, y);
      if (item !== undefined) openItem(item);
    },
    onMove: (held) => {
      if (painter.layout !== undefined) hold(rangeHolding(painter.layout.scale, held));
    },
  });
}

function pointerOf(
  event: TargetedPointerEvent<HTMLDivElement> | TargetedWheelEvent<HTMLDivElement>,
): PointerAt {
  const { left, top } = event.currentTarget.getBoundingClientRect();
  const y = event.clientY - top;
  return {
    id: 'pointerId' in event ? event.pointerId : 0,
    x: event.clientX - left,
    y,
    isTouch: 'pointerType' in event && event.pointerType === 'touch',
    isOnRuler: y < RULER_HEIGHT || event.shiftKey,
  };
}
