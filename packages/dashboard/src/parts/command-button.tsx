import type { ComponentChildren } from 'preact';
import { useSignal } from '@preact/signals';
import { visibleLine } from '../format/visible.js';

/** A button that asks the page's server for something, waits, and says what went wrong. */
export function CommandButton({
  run,
  className = '',
  children,
}: {
  run: () => Promise<unknown>;
  className?: string;
  children: ComponentChildren;
}) {
  const isBusy = useSignal(false);
  const problem = useSignal('');
  const onClick = (event: Event): void => {
    // Inside a row, which opens when it is clicked.
    event.stopPropagation();
    isBusy.value = true;
    problem.value = '';
    run()
      .catch((error: unknown) => {
        problem.value = error instanceof Error ? error.message : String(error);
      })
      .finally(() => (isBusy.value = false));
  };
  return (
    <>
      <button type="button" class={className} disabled={isBusy.value} onClick={onClick}>
        {children}
      </button>
      {problem.value !== '' && (
        <span class="problem" role="alert">
          {visibleLine(problem.value, 300)}
        </span>
      )}
    </>
  );
}
