import { describePopular } from './support/popular.ts';
import { preparePythonServers, pythonServers } from './support/popular-python.ts';

describePopular(await preparePythonServers(), pythonServers);
