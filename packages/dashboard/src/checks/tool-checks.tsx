import { useEffect } from 'preact/hooks';
import { useSignal, type ReadonlySignal } from '@preact/signals';
import { verdictOf, type Verdict } from '@longwire/recording';
import { counted, lineJson, VERDICTS } from '@longwire/recording/shown';
import { CommandButton } from '../parts/command-button.js';
import { Mark } from '../parts/mark.js';
import { Line } from '../parts/plain-text.js';
import { wholeCall } from '../state/api.js';
import { useCall } from '../state/page.js';
import { hrefOf } from '../state/route.js';
import { useRun } from '../tools/run.js';
import { Question } from '../tools/run-view.js';
import {
  checkList,
  checksProblem,
  expectationWords,
  loadChecks,
  removeCheck,
  type ListedCheck,
} from './check-list.js';

/** The checks of one tool: each can be run and removed. */
export function ToolChecks({ server, tool }: { server: string; tool: string }) {
  useEffect(loadChecks, []);
  /** Which of them runs, where all do; the round counts how often all were asked for. */
  const turn = useSignal<number | undefined>(undefined);
  const round = useSignal(0);
  const { value: list } = checkList;
  if (checksProblem.value !== '') return <Line text={checksProblem.value} maxLength={400} />;
  const own = (list?.checks ?? []).filter(
    (check) => check.shownAs === server && check.tool === tool,
  );
  if (list === undefined || own.length === 0) return null;
  return (
    <section class="checks" aria-label="Checks of this tool">
      <header class="list-head">
        <h3>{counted(own.length, 'check')}</h3>
        {own.length > 1 && (
          <button
            type="button"
            onClick={() => {
              round.value++;
              turn.value = 0;
            }}
          >
            Run all
          </button>
        )}
      </header>
      <ul>
        {own.map((check, at) => (
          <CheckRow
            // Another version of the file may have another check here. A new round begins anew.
            key={JSON.stringify([round.value, check])}
            server={server}
            check={check}
            isTurn={turn.value === at}
            onEnd={() => {
              if (turn.value === at) turn.value = at + 1;
            }}
          />
        ))}
      </ul>
      <p class="remark">
        <Line text={`They are in ${list.file}, which longwire check runs, too.`} />
      </p>
    </section>
  );
}

function CheckRow({
  server,
  check,
  isTurn,
  onEnd,
}: {
  server: string;
  check: ListedCheck;
  isTurn: boolean;
  onEnd: () => void;
}) {
  const { tool, arguments: args, expect = {} } = check;
  const run = useRun();
  const { value: state } = run.state;
  const call = state.at === 'started' ? state.call : undefined;
  const verdict = useVerdict(call, check);
  const start = (): void =>
    run.start({ server, method: 'tools/call', name: tool, arguments: args ?? {} });
  const isOver = state.at === 'failed' || verdict.value !== undefined;
  useEffect(() => {
    if (isTurn) start();
  }, [isTurn]);
  useEffect(() => {
    if (isOver) onEnd();
  }, [isOver, isTurn]);
  const isBusy = state.at === 'starting' || (call !== undefined && verdict.value === undefined);
  return (
    <li class="check">
      <p class="check-call">
        <code>
          <Line text={args === undefined ? 'no arguments' : lineJson(args)} />
        </code>
        <span class="remark">
          <Line text={expectationWords(expect)} />
        </span>
      </p>
      <div class="buttons">
        <button type="button" disabled={isBusy} onClick={start}>
          Run
        </button>
        <CommandButton className="plain" run={() => removeCheck(check)}>
          Remove
        </CommandButton>
        <span role="status">
          {isBusy && 'running…'}
          {verdict.value !== undefined && <VerdictMark outcome={verdict.value.outcome} />}
        </span>
        {call !== undefined && <a href={hrefOf('calls', call)}>Call {call}</a>}
      </div>
      {state.at === 'failed' && (
        <p class="problem" role="alert">
          <Line text={state.reason} />
        </p>
      )}
      {verdict.value !== undefined && <Differences verdict={verdict.value} />}
      {state.at === 'asking' && (
        <Question
          reason={state.reason}
          name={tool}
          agree={(does) => {
            run.agree(does);
            if (!does) onEnd();
          }}
        />
      )}
    </li>
  );
}

function VerdictMark({ outcome }: { outcome: Verdict['outcome'] }) {
  return <Mark name={outcome} word={VERDICTS[outcome]} text={outcome.replace('-', ' ')} />;
}

function Differences({ verdict }: { verdict: Verdict }) {
  if (verdict.outcome === 'held') return null;
  const lines = verdict.outcome === 'failed' ? [verdict.reason] : verdict.differences;
  return (
    <ul class="differences">
      {lines.map((line, at) => (
        <li key={at}>
          <Line text={line} maxLength={400} />
        </li>
      ))}
    </ul>
  );
}

/** What became of a check, once its call has ended and is known as a whole. */
function useVerdict(
  number: number | undefined,
  { expect = {} }: ListedCheck,
): ReadonlySignal<Verdict | undefined> {
  const known = useSignal<Verdict | undefined>(undefined);
  const isOver = useCall(number ?? -1)?.end !== undefined;
  useEffect(() => {
    known.value = undefined;
    if (number === undefined || !isOver) return undefined;
    let isWanted = true;
    wholeCall(number).then(
      ({ end }) => {
        if (isWanted && end !== undefined) known.value = verdictOf(expect, end);
      },
      (error: Error) => {
        if (isWanted) known.value = { outcome: 'failed', reason: error.message };
      },
    );
    return () => {
      isWanted = false;
    };
  }, [number, isOver]);
  return known;
}
