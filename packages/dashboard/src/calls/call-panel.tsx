import type { ComponentChildren } from 'preact';
import type { CallPicture } from '@longwire/recording';
import { callName, chainOf, formatClock, formatDuration } from '@longwire/recording/shown';
import { CommandButton } from '../parts/command-button.js';
import { Empty } from '../parts/empty.js';
import { CertaintyMark, OutcomeMark } from '../parts/mark.js';
import { Meter } from '../parts/meter.js';
import { Panel } from '../parts/panel.js';
import { JsonText, Line } from '../parts/plain-text.js';
import { cancelCall } from '../state/api.js';
import { feed, now, useCall } from '../state/page.js';
import { hrefOf } from '../state/route.js';
import { ResultView } from '../tools/result-view.js';
import { ChainList } from './chain-list.js';
import { useWholeCall } from './whole-call.js';

/** One call: what was asked, what happened to it, what came back. */
export function CallPanel({
  number,
  onClose,
  children,
}: {
  number: number;
  onClose: () => void;
  children?: ComponentChildren;
}) {
  const call = useCall(number);
  return (
    <Panel
      key={number}
      title={call === undefined ? `Call ${number}` : `${callName(call)} · call ${number}`}
      onClose={onClose}
    >
      {call === undefined ? (
        <Empty title="This call is not kept any more" />
      ) : (
        <>
          {children}
          <CallDetails call={call} />
        </>
      )}
    </Panel>
  );
}

function CallDetails({ call: known }: { call: CallPicture }) {
  const call = useWholeCall(known);
  const server = feed.picture.servers.get(call.server);
  const { end } = call;
  return (
    <>
      <dl class="facts">
        <dt>Outcome</dt>
        <dd>
          <OutcomeMark call={call} />{' '}
          {end?.error?.certainty !== undefined && <CertaintyMark certainty={end.error.certainty} />}
        </dd>
        <dt>Server</dt>
        <dd>
          <Line text={call.server} />
        </dd>
        <dt>Method</dt>
        <dd>
          <Line text={call.method} />
        </dd>
        <dt>Began</dt>
        <dd>{formatClock(call.at)}</dd>
        <dt>{end === undefined ? 'Running' : 'Duration'}</dt>
        <dd>{formatDuration(end?.durationMs ?? now.value - call.at)}</dd>
      </dl>
      {end === undefined && <Running call={call} />}
      <h3>What happened</h3>
      <ChainList steps={chainOf(call, server)} />
      <h3>Arguments</h3>
      {call.arguments !== undefined ? (
        <JsonText value={call.arguments} label="Arguments" />
      ) : (
        <NoValue>none</NoValue>
      )}
      <h3>Result</h3>
      <Outcome call={call} />
      {call.method === 'tools/call' && call.name !== undefined && feed.shows.value.canCall && (
        <p>
          <a href={hrefOf('tools', call.server, call.name)}>Open the form of this tool</a>
        </p>
      )}
    </>
  );
}

function Running({ call }: { call: CallPicture }) {
  return (
    <p class="running">
      <Meter progress={call.progress} label={callName(call)} />
      {feed.shows.value.canCall && (
        <CommandButton run={() => cancelCall(call.call)}>Cancel</CommandButton>
      )}
    </p>
  );
}

/** In place of a value that there is not, or that is not kept. */
function NoValue({ children }: { children: string }) {
  return (
    <p class="remark">
      {feed.shows.value.hasValues ? children : 'not kept: this page shows no values'}
    </p>
  );
}

function Outcome({ call }: { call: CallPicture }) {
  const { end } = call;
  if (end === undefined) return <p class="remark">not yet</p>;
  if (end.error !== undefined) return <JsonText value={end.error} label="Error" />;
  if (end.result === undefined) return <NoValue>none</NoValue>;
  return <ResultView result={end.result} />;
}
