export {
  isAtLeast,
  kindOf,
  LEVEL_MARKS,
  levelOf,
  LEVELS,
  summaryOf,
  type LevelName,
} from '@longwire/recording/shown';
