export { isObject, lineJson, prettyJson } from '@longwire/recording/shown';
