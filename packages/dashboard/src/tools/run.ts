import { useSignal, type ReadonlySignal } from '@preact/signals';
import { ApiError, startCall, type CallRequest } from '../state/api.js';

/** What became of something that a person runs. */
export type RunState =
  | { readonly at: 'idle' | 'starting' }
  /** A person has to agree first: the server's reason. */
  | { readonly at: 'asking'; readonly reason: string; readonly request: CallRequest }
  | { readonly at: 'started'; readonly call: number; readonly request: CallRequest }
  | { readonly at: 'failed'; readonly reason: string };

/** Runs one thing at a time; asks where the page's server wants a person to agree. */
export interface Run {
  readonly state: ReadonlySignal<RunState>;
  readonly start: (request: CallRequest) => void;
  /** Answers the question. */
  readonly agree: (does: boolean) => void;
}

/** A run of the view that is open. */
export function useRun(): Run {
  const state = useSignal<RunState>({ at: 'idle' });
  const start = (request: CallRequest): void => {
    state.value = { at: 'starting' };
    startCall(request).then(
      (call) => {
        state.value = { at: 'started', call, request };
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        const isQuestion = error instanceof ApiError && error.code === 'not-confirmed';
        state.value = isQuestion ? { at: 'asking', reason, request } : { at: 'failed', reason };
      },
    );
  };
  const agree = (does: boolean): void => {
    const { value } = state;
    if (value.at !== 'asking') return;
    if (does) start({ ...value.request, confirmed: true });
    else state.value = { at: 'idle' };
  };
  return { state, start, agree };
}
