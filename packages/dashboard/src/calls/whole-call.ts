import { useEffect } from 'preact/hooks';
import { useSignal, type ReadonlySignal } from '@preact/signals';
import { isCut, type CallPicture } from '@longwire/recording';
import { wholeCall } from '../state/api.js';

/** A call with as much of its values as the page's server keeps: the picture has only their beginnings. */
export function useWholeCall(call: CallPicture): CallPicture {
  const whole: ReadonlySignal<CallPicture | undefined> = useWhole(call);
  const { value } = whole;
  return value !== undefined && isSame(value, call) ? { ...call, ...valuesOf(value) } : call;
}

/** Behind a balancer another node of a cluster may have answered, which counts other calls by this number. */
function isSame(one: CallPicture, other: CallPicture): boolean {
  return one.call === other.call && one.server === other.server && one.at === other.at;
}

function useWhole(call: CallPicture): ReadonlySignal<CallPicture | undefined> {
  const whole = useSignal<CallPicture | undefined>(undefined);
  const isPart = isCut(call.arguments) || isCut(call.end?.result);
  useEffect(() => {
    let isWanted = isPart;
    if (isPart) {
      wholeCall(call.call).then(
        (answer) => {
          if (isWanted) whole.value = answer;
        },
        // Then its beginning stays, which says that it is one.
        () => {},
      );
    }
    return () => (isWanted = false);
  }, [call.call, isPart]);
  return whole;
}

function valuesOf(call: CallPicture): Partial<CallPicture> {
  return {
    arguments: call.arguments,
    ...(call.end !== undefined && { end: call.end }),
  };
}
