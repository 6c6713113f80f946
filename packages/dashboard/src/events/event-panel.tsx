import type { EventPicture } from '@longwire/recording';
import { formatClock, kindOf } from '@longwire/recording/shown';
import { Panel } from '../parts/panel.js';
import { JsonText, Line } from '../parts/plain-text.js';
import { openView } from '../state/route.js';
import { LevelMark } from './event-columns.js';

/** One event, whole. */
export function EventPanel({ event }: { event: EventPicture }) {
  return (
    <Panel key={event.seq} title={`Event ${event.seq}`} onClose={() => openView('events')}>
      <dl class="facts">
        <dt>Kind</dt>
        <dd>
          <Line text={kindOf(event)} />
        </dd>
        <dt>Level</dt>
        <dd>
          <LevelMark event={event} />
        </dd>
        <dt>Server</dt>
        <dd>
          <Line text={event.server} />
        </dd>
        <dt>Time</dt>
        <dd>{formatClock(event.at)}</dd>
      </dl>
      <h3>{event.type === 'error' ? 'Error' : 'Parameters'}</h3>
      <JsonText value={event.type === 'error' ? event.error : event.params} label="Parameters" />
    </Panel>
  );
}
