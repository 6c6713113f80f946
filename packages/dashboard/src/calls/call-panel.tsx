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
import { hrefOf, openView } from '../state/route.js';
import { ResultView } from '../tools/result-view.js';
import { ChainList } from './chain-list.js';
import { useWholeCall } from './whole-call.js';

/** One call: what was asked, what happened to it, what came back. */
export function CallPanel({ number }: { number: number }) {
  const call = useCall(number);
  return (
    <Panel
      key={number}
      title={call === undefined ? `Call ${number}` : `${callName(call)} · call ${number}`}
      onClose={() => openView('calls')}
    >
      {call === undefined ? (
        <Empty title="This call is not kept any more" />
      ) : (
        <CallDetails call={call} />
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
      {call.arguments === undefined ? (
        <p class="remark">none</p>
      ) : (
        <JsonText value={call.arguments} label="Arguments" />
      )}
      <h3>Result</h3>
      <Outcome call={call} />
      {call.method === 'tools/call' &&
        call.name !== undefined &&
        feed.replay.value === undefined && (
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
      {feed.replay.value === undefined && (
        <CommandButton run={() => cancelCall(call.call)}>Cancel</CommandButton>
      )}
    </p>
  );
}

function Outcome({ call }: { call: CallPicture }) {
  const { end } = call;
  if (end === undefined) return <p class="remark">not yet</p>;
  if (end.error !== undefined) return <JsonText value={end.error} label="Error" />;
  return <ResultView result={end.result} />;
}
