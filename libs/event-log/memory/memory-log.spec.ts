import { describeEventLogContract } from '../contract.js';
import { createMemoryLog } from './memory-log.js';

describeEventLogContract('memory', async () => {
  const log = createMemoryLog({ partitions: 4 });
  return { log, close: () => log.close() };
});
