import { describe, expect, it } from '@jest/globals';
import { readConfig } from './config.js';
import { startTelemetry } from './telemetry.js';

describe('telemetry', () => {
  it('that cannot be begun stops nobody: it says so', async () => {
    const config = readConfig({ METRICS_PORT: 'off' });
    const broken = Object.defineProperty({ ...config }, 'ROLE', {
      get() {
        throw new Error('nothing works');
      },
    });
    const telemetry = await startTelemetry(broken);
    expect(telemetry.problems).toEqual([expect.stringMatching(/^no telemetry /)]);
    await telemetry.stop();
  });
});
