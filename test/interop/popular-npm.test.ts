import { describePopular } from './support/popular.ts';
import { npmServers, prepareNpmServers } from './support/popular-npm.ts';

describePopular(await prepareNpmServers(), npmServers);
