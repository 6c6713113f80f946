import { expectationOf, type Ended, type Expectation } from '@longwire/recording';
import { prettyJson } from '@longwire/recording/shown';

/** What a person can expect of the next answer, by the one that came. */
export interface ExpectationChoice {
  readonly label: string;
  /** What is to be filled in: its text at first. Nothing is, where it is `undefined`. */
  readonly filled?: string;
  /**
   * The expectation with what was filled in.
   *
   * @throws SyntaxError for what is to be JSON and is none.
   */
  readonly make: (filled: string) => Expectation;
}

const NO_ERROR: ExpectationChoice = { label: 'It is no error', make: () => ({}) };

/** The choices for a call that ended so. The first one is taken where no other is chosen. */
export function choicesFor(ended: Ended): readonly ExpectationChoice[] {
  if (ended.outcome !== 'result') {
    return [
      { label: 'It is an error', make: () => ({ error: true }) },
      {
        label: 'It is an error with this text',
        filled: '',
        make: (contains) => ({ error: true, contains }),
      },
      NO_ERROR,
    ];
  }
  const { equals, contains = '' } = expectationOf(ended.result);
  const structured = equals ?? parsed(contains);
  return [
    NO_ERROR,
    { label: 'Its text has this in it', filled: contains, make: (text) => ({ contains: text }) },
    ...(structured === undefined
      ? []
      : [
          {
            label: 'It has these members',
            filled: prettyJson(structured),
            make: (json: string) => ({ has: JSON.parse(json) as unknown }),
          },
          {
            label: 'It is exactly this',
            filled: prettyJson(structured),
            make: (json: string) => ({ equals: JSON.parse(json) as unknown }),
          },
        ]),
  ];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
