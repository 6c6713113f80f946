export { SessionLostError } from '@longwire/server';
