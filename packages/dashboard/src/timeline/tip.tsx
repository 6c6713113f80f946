import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { formatClock, STATES, type Tone } from '@longwire/recording/shown';
import { Line } from '../parts/plain-text.js';
import { route } from '../state/route.js';
import { RULER_HEIGHT } from './draw.js';
import { AUTHORIZATIONS, factsOfItem, titleOfItem } from './item-text.js';
import { callOfItem, rangeOfItem, type Item } from './items.js';
import type { Painter } from './painter.js';
import { timeNow } from './range.js';
import { styleOf } from './span-style.js';

const GAP_PX = 6;

/** What is pointed at, or what keys went to, in words beside it. */
export function Tip({
  painter,
  scroller,
}: {
  painter: Painter;
  scroller: RefObject<HTMLElement | null>;
}) {
  const tip = useRef<HTMLDivElement>(null);
  const active = painter.active.value;
  // Of what is open the panel says more.
  const isOpen = active !== undefined && String(callOfItem(active)) === route.value.parts[0];
  const item = painter.pointed.value ?? (isOpen ? undefined : active);
  // It moves with what it is of.
  void painter.told.value;
  const at = timeNow();
  useLayoutEffect(() => {
    const element = tip.current;
    const around = scroller.current;
    const place = item && painter.placeOf(item);
    if (element === null || around === null || place === undefined) return;
    const { offsetWidth: width, offsetHeight: height } = element;
    // Not over the lane itself: what caused what is in it.
    const lane = painter.layout?.lanes.find(({ server }) => server.name === item?.server);
    const { top: begin, height: high } = lane ?? { top: place.y, height: place.height };
    const above = RULER_HEIGHT - around.scrollTop + begin;
    const isRoom = above + high + GAP_PX + height <= around.clientHeight;
    const top = isRoom ? above + high + GAP_PX : above - GAP_PX - height;
    const left = Math.max(place.x, painter.layout?.scale.left ?? 0);
    element.style.top = `${Math.max(0, top)}px`;
    element.style.left = `${Math.max(4, Math.min(left, around.clientWidth - width - 4))}px`;
  });
  if (item === undefined) return null;
  const { sign, tone } = markOf(item);
  return (
    <div ref={tip} class="timeline-tip" aria-hidden="true">
      <p>
        <span class={`tone-${tone}`}>{sign}</span>{' '}
        <strong>
          <Line text={titleOfItem(item)} maxLength={60} />
        </strong>{' '}
        <span class="remark">
          <Line text={item.server} maxLength={40} />
        </span>
      </p>
      <p>
        <Line text={factsOfItem(item, at).join(' · ')} maxLength={200} />
      </p>
      <p class="remark">
        {formatClock(rangeOfItem(item, at).from)}
        {item.kind === 'span' ? ' · Enter or click opens it' : ' · Enter or click zooms to it'}
      </p>
    </div>
  );
}

function markOf(item: Item): { readonly sign: string; readonly tone: Tone } {
  switch (item.kind) {
    case 'span':
      return styleOf(item.span);
    case 'state':
      return STATES[item.state.state] ?? STATES.idle;
    case 'authorization':
      return AUTHORIZATIONS[item.authorization.decision];
    case 'bin':
      return { sign: '▮', tone: item.bin.errors > 0 ? 'bad' : 'good' };
  }
}
