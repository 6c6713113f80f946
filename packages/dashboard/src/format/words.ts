export {
  callName,
  counted,
  CERTAINTIES,
  OUTCOMES,
  outcomeOf,
  STATES,
  type OutcomeName,
  type Tone,
  type Word,
} from '@longwire/recording/shown';
