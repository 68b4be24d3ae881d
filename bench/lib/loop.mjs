// How long the event loop was held, and how much of that the collector took.
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

/** Processor time of the loop's thread, milliseconds. */
function cpuMs() {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** What a timer of a millisecond is late by itself. */
const TIMER_MS = 1;

/** @returns stop(), milliseconds: delay of the loop, its longest block less what collections took of it, and the collections */
export function watchLoop() {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const pauses = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) pauses.push({ from: startTime, to: startTime + duration });
  });
  observer.observe({ entryTypes: ['gc'] });
  delay.enable();
  const gaps = [];
  let last = performance.now();
  let cpu = cpuMs();
  const timer = setInterval(() => {
    const now = performance.now();
    const used = cpuMs();
    if (now - last > 5) gaps.push({ from: last, to: now, cpu: used - cpu });
    last = now;
    cpu = used;
  }, TIMER_MS);
  return {
    stop() {
      clearInterval(timer);
      delay.disable();
      for (const { startTime, duration } of observer.takeRecords()) pauses.push({ from: startTime, to: startTime + duration });
      observer.disconnect();
      const inside = ({ from, to }) =>
        pauses.reduce((sum, pause) => sum + Math.max(0, Math.min(to, pause.to) - Math.max(from, pause.from)), 0);
      // By the processor time of this thread: where others use the machine, too, a block on the clock may be theirs.
      const own = gaps.map((gap) => Math.min(gap.cpu, gap.to - gap.from - TIMER_MS) - inside(gap));
      return {
        p50: delay.percentile(50) / 1e6,
        p99: delay.percentile(99) / 1e6,
        max: delay.max / 1e6,
        own: Math.max(0, ...own),
        collections: pauses.length,
        longest: Math.max(0, ...pauses.map(({ from, to }) => to - from)),
      };
    },
  };
}
