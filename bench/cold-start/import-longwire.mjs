import '@longwire/client';
