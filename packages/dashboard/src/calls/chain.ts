export { chainOf, type ChainStep } from '@longwire/recording/shown';
