import type { CallPicture, CertaintyName, StateName } from '@longwire/recording';
import { CERTAINTIES, outcomeOf, OUTCOMES, STATES, type Word } from '@longwire/recording/shown';

/** A word of the code with its sign: both say what the colour says. */
export function Mark({ name, word, text }: { name: string; word: Word; text?: string }) {
  return (
    <span class={`mark tone-${word.tone}`} title={word.meaning}>
      <span class="mark-sign" aria-hidden="true">
        {word.sign}
      </span>
      {text ?? name}
    </span>
  );
}

/** The state of a connection. */
export function StateMark({ state }: { state: StateName | undefined }) {
  return <Mark name={state ?? 'idle'} word={STATES[state ?? 'idle'] ?? STATES.idle} />;
}

/** What is certain of a call that failed. */
export function CertaintyMark({ certainty }: { certainty: CertaintyName }) {
  return <Mark name={certainty} word={CERTAINTIES[certainty] ?? CERTAINTIES['outcome-unknown']} />;
}

/** How a call ended; of one that failed, by which code. */
export function OutcomeMark({ call }: { call: CallPicture }) {
  const outcome = outcomeOf(call);
  const code = outcome === 'error' ? call.end?.error?.code : undefined;
  return (
    <Mark name={outcome} word={OUTCOMES[outcome]} {...(code !== undefined && { text: code })} />
  );
}
