import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { visibleLine } from '../format/visible.js';

/** What was opened of a list, beside it; over it on a narrow screen. Escape closes it. */
export function Panel({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const shown = visibleLine(title, 120);
  const heading = useRef<HTMLHeadingElement>(null);
  // Whoever opens it by keyboard goes on inside it, and comes back when it closes. The next key is for it,
  // however soon it comes.
  useLayoutEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <aside
      class="panel"
      aria-label={shown}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
      }}
    >
      <header class="panel-head">
        <h2 ref={heading} tabIndex={-1}>
          {shown}
        </h2>
        <button type="button" class="plain" onClick={onClose}>
          Close
        </button>
      </header>
      <div class="panel-body">{children}</div>
    </aside>
  );
}
