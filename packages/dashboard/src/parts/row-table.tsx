import type { ComponentChildren, JSX, TargetedKeyboardEvent } from 'preact';
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import { rowWindow, scrolledTo } from './row-window.js';

/** A column of a table. */
export interface Column<Item> {
  readonly title: string;
  /** Where it is in the grid, and on which screens; see the styles of its view. */
  readonly className: string;
  readonly cell: (item: Item) => ComponentChildren;
}

/** What a table shows, and what becomes of its rows. */
export interface RowTableProps<Item> {
  readonly label: string;
  readonly className: string;
  readonly columns: readonly Column<Item>[];
  readonly count: number;
  readonly at: (index: number) => Item | undefined;
  readonly keyOf: (item: Item) => string | number;
  readonly opened?: string | number | undefined;
  readonly onOpen: (item: Item) => void;
  /** Somebody reads further down, or came back to the top. */
  readonly onAway?: (isAway: boolean) => void;
  /** Counts up when the table is to go to its top. */
  readonly toTop?: number;
}

/** The heights of a row, and of the head that stays at the top, in pixels; the styles say the same. */
const ROW_HEIGHT = 36;
const HEAD_HEIGHT = 32;

/** A table of any length, of which those rows are made that are seen. Arrow keys move, Enter opens. */
export function RowTable<Item>(props: RowTableProps<Item>) {
  const { label, className, columns, count, at, keyOf, opened, onOpen, onAway, toTop } = props;
  const table = useRef<HTMLDivElement>(null);
  const id = useId();
  const scrollTop = useSignal(0);
  const viewHeight = useSignal(600);
  const active = useSignal(-1);
  const isAway = useComputed(() => scrollTop.value > ROW_HEIGHT / 2 || active.value > 0);
  useSignalEffect(() => onAway?.(isAway.value));

  useEffect(() => {
    const element = table.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(
      () => (viewHeight.value = element.clientHeight - HEAD_HEIGHT),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      onAway?.(false);
    };
  }, []);

  const goTo = (row: number): void => {
    const element = table.current;
    if (element === null) return;
    active.value = Math.max(0, Math.min(row, count - 1));
    element.scrollTop = scrolledTo(active.value, {
      rowHeight: ROW_HEIGHT,
      scrollTop: element.scrollTop,
      viewHeight: element.clientHeight - HEAD_HEIGHT,
    });
  };

  useEffect(() => {
    if (toTop === undefined || toTop === 0) return;
    active.value = -1;
    table.current?.scrollTo(0, 0);
  }, [toTop]);

  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    if (event.target !== event.currentTarget) return;
    const page = Math.max(1, Math.floor(viewHeight.value / ROW_HEIGHT) - 1);
    const row = active.value;
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: row + 1,
      ArrowUp: row - 1,
      PageDown: row + page,
      PageUp: row - page,
      Home: 0,
      End: count - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) goTo(to);
    else if (event.key === 'Enter') {
      const item = at(row);
      if (item !== undefined) onOpen(item);
    } else return;
    event.preventDefault();
  };

  const { first, end, top, height } = rowWindow({
    count,
    rowHeight: ROW_HEIGHT,
    scrollTop: scrollTop.value,
    viewHeight: viewHeight.value,
  });
  const rows: JSX.Element[] = [];
  for (let index = first; index < end; index++) {
    const item = at(index);
    if (item === undefined) continue;
    const key = keyOf(item);
    rows.push(
      <div
        key={key}
        id={`${id}-${index}`}
        role="row"
        aria-rowindex={index + 2}
        aria-selected={key === opened}
        class={`row ${index === active.value ? 'row-active' : ''}`}
        onClick={() => onOpen(item)}
      >
        {columns.map(({ title, className: name, cell }) => (
          <div key={title} role="gridcell" class={`cell ${name}`}>
            {cell(item)}
          </div>
        ))}
      </div>,
    );
  }
  const isDrawn = active.value >= first && active.value < end;
  return (
    <div
      ref={table}
      class={`row-table ${className}`}
      role="grid"
      aria-label={label}
      aria-rowcount={count + 1}
      aria-activedescendant={isDrawn ? `${id}-${active.value}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onScroll={(event) => (scrollTop.value = event.currentTarget.scrollTop)}
    >
      <div class="row row-head" role="row" aria-rowindex={1}>
        {columns.map(({ title, className: name }) => (
          <div key={title} role="columnheader" class={`cell ${name}`}>
            {title}
          </div>
        ))}
      </div>
      <div class="row-body" role="rowgroup">
        <div role="presentation" class="row-space" style={{ height: `${height}px` }}>
          <div role="presentation" class="row-drawn" style={{ top: `${top}px` }}>
            {rows}
          </div>
        </div>
      </div>
    </div>
  );
}
