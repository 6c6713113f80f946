export { formatBytes, formatCount, formatRate } from '@longwire/recording/shown';
