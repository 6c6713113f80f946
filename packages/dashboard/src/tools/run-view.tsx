import { useLayoutEffect, useRef } from 'preact/hooks';
import { visibleLine } from '../format/visible.js';
import { CommandButton } from '../parts/command-button.js';
import { CertaintyMark, OutcomeMark } from '../parts/mark.js';
import { Meter } from '../parts/meter.js';
import { JsonText } from '../parts/plain-text.js';
import { useWholeCall } from '../calls/whole-call.js';
import { SaveCheck } from '../checks/save-check.js';
import { cancelCall, type CallRequest } from '../state/api.js';
import { now, useCall } from '../state/page.js';
import { hrefOf } from '../state/route.js';
import type { CallPicture } from '@longwire/recording';
import { callName, formatDuration } from '@longwire/recording/shown';
import { ResultView } from './result-view.js';
import type { Run } from './run.js';

/** What becomes of a run: the question, its progress, its result. */
export function RunView({ run, name }: { run: Run; name: string }) {
  const { value } = run.state;
  switch (value.at) {
    case 'idle':
      return null;
    case 'starting':
      return <p class="remark">Starting…</p>;
    case 'failed':
      return (
        <p class="problem" role="alert">
          {visibleLine(value.reason, 500)}
        </p>
      );
    case 'asking':
      return <Question reason={value.reason} name={name} agree={run.agree} />;
    case 'started':
      return <Started key={value.call} number={value.call} request={value.request} />;
  }
}

/** Asks a person whether something that may change things is to be run. */
export function Question({
  reason,
  name,
  agree,
}: {
  reason: string;
  name: string;
  agree: (does: boolean) => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="question"
      aria-labelledby="question"
      onCancel={() => agree(false)}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <h2 id="question">Run {visibleLine(name, 80)}?</h2>
      <p>{visibleLine(reason, 500)}</p>
      <div class="buttons">
        <button type="button" onClick={() => agree(false)}>
          Do not run it
        </button>
        <button type="button" class="primary" onClick={() => agree(true)}>
          Run it
        </button>
      </div>
    </dialog>
  );
}

function Started({ number, request }: { number: number; request: CallRequest }) {
  const call = useCall(number);
  return (
    <section class="run" aria-label="Run">
      <h3 class="unseen">Run</h3>
      {call === undefined ? (
        <p class="remark">Call {number} has begun.</p>
      ) : (
        <StartedCall call={call} request={request} />
      )}
    </section>
  );
}

function StartedCall({ call: known, request }: { call: CallPicture; request: CallRequest }) {
  const call = useWholeCall(known);
  const { end } = call;
  return (
    <>
      <p class="running">
        <span role="status">
          <OutcomeMark call={call} />
        </span>
        {end?.error?.certainty !== undefined && <CertaintyMark certainty={end.error.certainty} />}
        <span class="number">{formatDuration(end?.durationMs ?? now.value - call.at)}</span>
        {end === undefined && <Meter progress={call.progress} label={callName(call)} />}
        {end === undefined && (
          <CommandButton run={() => cancelCall(call.call)}>Cancel</CommandButton>
        )}
        <a href={hrefOf('calls', call.call)}>Call {call.call}</a>
      </p>
      {end?.error !== undefined && <JsonText value={end.error} label="Error" />}
      {end !== undefined && end.error === undefined && <ResultView result={end.result} />}
      {end !== undefined && request.method === 'tools/call' && (
        <SaveCheck request={request} call={call} />
      )}
    </>
  );
}
