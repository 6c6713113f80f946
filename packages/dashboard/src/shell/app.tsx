import type { JSX } from 'preact';
import { CallsView } from '../calls/calls-view.js';
import { CompareView } from '../compare/compare-view.js';
import { EventsView } from '../events/events-view.js';
import { Overview } from '../overview/overview.js';
import { Palette } from '../palette/palette.js';
import { ResourcesView } from '../resources/resources-view.js';
import { route, VIEW_TITLES, type ViewName } from '../state/route.js';
import { TimelineView } from '../timeline/timeline-view.js';
import { ToolsView } from '../tools/tools-view.js';
import { Head } from './head.js';
import { NotLive } from './liveness.js';
import { ReplayBar } from './replay-bar.js';

const VIEW_COMPONENTS: Readonly<Record<ViewName, () => JSX.Element>> = {
  overview: Overview,
  timeline: TimelineView,
  calls: CallsView,
  events: EventsView,
  tools: ToolsView,
  resources: ResourcesView,
  compare: CompareView,
};

/** The whole page. */
export function App() {
  const { view } = route.value;
  const View = VIEW_COMPONENTS[view];
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // The hash of the address is that of the view.
          event.preventDefault();
          document.querySelector<HTMLElement>('#main')?.focus();
        }}
      >
        Skip to the view
      </a>
      <Head />
      <NotLive />
      <ReplayBar />
      <main id="main" tabIndex={-1} class={`view view-${view}`}>
        <h1 class="unseen">{VIEW_TITLES[view]}</h1>
        <View />
      </main>
      <Palette />
    </>
  );
}
