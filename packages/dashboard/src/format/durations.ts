export { formatClock, formatDuration, formatShortClock } from '@longwire/recording/shown';
