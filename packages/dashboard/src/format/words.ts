export {
  callName,
  counted,
  CERTAINTIES,
  OUTCOMES,
  outcomeOf,
  STATES,
  VERDICTS,
  type OutcomeName,
  type Tone,
  type Word,
} from '@longwire/recording/shown';
