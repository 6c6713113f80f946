export { figuresOf, toolTokens, type ServerFigures } from '@longwire/recording/shown';
