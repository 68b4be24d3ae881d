/** Names of all metrics, and what spans share. The OpenTelemetry API only; without an SDK everything here costs next to nothing. */
export { type Looked, type ObservedName, observe, recorded } from './metrics.js';
export { type Causes, causesOf, isSampled, spanContextOf, traceparentOf, unobserved } from './spans.js';
