import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { metrics } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';

class Scrape extends MetricReader {
  protected override async onForceFlush() {}
  protected override async onShutdown() {}
}

describe('looks of a scrape', () => {
  const reader = new Scrape();
  let observe: typeof import('./metrics.js').observe;
  beforeAll(async () => {
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    ({ observe } = await import('./metrics.js'));
  });
  afterAll(() => metrics.disable());

  const scraped = async () => {
    const { resourceMetrics } = await reader.collect();
    return Object.fromEntries(
      resourceMetrics.scopeMetrics
        .flatMap((scope) => scope.metrics)
        .map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints.map(({ value }) => value)]),
    );
  };

  it('one that hangs takes no other with it, and is not begun again while it hangs', async () => {
    let looks = 0;
    let answer = (_looked: readonly (readonly [number])[]) => {};
    const end = observe({
      deadLetters: () =>
        new Promise((resolve) => {
          looks += 1;
          answer = resolve;
        }),
      silent: () => [[3]],
    });
    const before = performance.now();
    const first = await scraped();
    expect(first).toMatchObject({ 'feed.log.silence': [3] });
    expect(first).not.toHaveProperty(['feed.dead_letters']);
    expect(performance.now() - before).toBeLessThan(3_000);
    await scraped();
    expect(looks).toBe(1);
    answer([[7]]);
    expect(await scraped()).toMatchObject({ 'feed.log.silence': [3] });
    const asked = scraped();
    answer([[7]]);
    expect(await asked).toMatchObject({ 'feed.log.silence': [3], 'feed.dead_letters': [7] });
    end();
  }, 15_000);

  it('what is looked at no longer stands at its last value: hence 0 for what is another’s', async () => {
    let owned: readonly (readonly [number, object])[] = [[5, { partition: 1 }]];
    const end = observe({ lag: () => owned as never });
    expect(await scraped()).toMatchObject({ 'feed.projection.lag': [5] });
    owned = [];
    expect(await scraped()).toMatchObject({ 'feed.projection.lag': [5] });
    owned = [[0, { partition: 1 }]];
    expect(await scraped()).toMatchObject({ 'feed.projection.lag': [0] });
    end();
  });
});
