import { feed } from '../state/page.js';

/** In place of a form, where nothing can be called. */
export function OnlyShown() {
  return (
    <p class="remark">
      {feed.replay.value === undefined
        ? 'This page only shows what a server does: nothing can be called from it.'
        : 'A recording is shown: nothing can be called.'}
    </p>
  );
}
