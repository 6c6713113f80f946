import type { CallPicture } from '@longwire/recording';
import { callName, counted, formatDuration } from '@longwire/recording/shown';
import { CommandButton } from '../parts/command-button.js';
import { Meter } from '../parts/meter.js';
import { Line } from '../parts/plain-text.js';
import { cancelCall } from '../state/api.js';
import { feed, now } from '../state/page.js';
import { hrefOf } from '../state/route.js';

/** More calls at once than that are only counted: the filter finds the others. */
const MAX_SHOWN = 50;

/** Calls that run: how long, how far, and a button that cancels them. The oldest is the first. */
export function InFlight({ calls }: { calls: readonly CallPicture[] }) {
  return (
    <section class="in-flight" aria-label="Calls in flight">
      <h2>
        {calls.length === 0 ? 'Nothing in flight' : `${counted(calls.length, 'call')} in flight`}
      </h2>
      {calls.length > 0 && (
        <ul tabIndex={0} aria-label="Calls in flight">
          {calls.slice(0, MAX_SHOWN).map((call) => (
            <InFlightCall key={call.call} call={call} />
          ))}
        </ul>
      )}
      {calls.length > MAX_SHOWN && (
        <p class="remark">The {MAX_SHOWN} oldest are shown. Filter to see others.</p>
      )}
    </section>
  );
}

function InFlightCall({ call }: { call: CallPicture }) {
  return (
    <li>
      <a class="in-flight-name" href={hrefOf('calls', call.call)}>
        <Line text={callName(call)} maxLength={80} />
      </a>
      <span class="in-flight-server">
        <Line text={call.server} maxLength={40} />
        {call.attempts.length > 1 && ` · attempt ${call.attempts.length}`}
      </span>
      <Meter progress={call.progress} label={callName(call)} />
      <span class="in-flight-time number">{formatDuration(now.value - call.at)}</span>
      {feed.shows.value.canCall && (
        <CommandButton run={() => cancelCall(call.call)}>
          Cancel<span class="unseen"> {callName(call)}</span>
        </CommandButton>
      )}
    </li>
  );
}
