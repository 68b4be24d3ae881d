import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Attributes, type Span, type SpanContext } from '@opentelemetry/api';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { refusalByLoad } from '../doors/http/early-judgement.js';
import { KEEP } from './sampling.js';

/** What is asked for all day by machines and says nothing. */
const NOISE = /^\/(healthz|readyz|assets\/|favicon|metrics$)/;

/**
 * Paths hold one-time codes and the ids of people, addresses are people's, too: a request is told by its route. What asks and says where
 * from, by a `traceparent`, is a link and no parent: whoever can reach this door must not decide what is sampled here, and his trace is
 * in no collector of ours. (There is no propagator for the same reason; a producer's context is read by the intake, once it is known.)
 */
export function httpInstrumentation(spanContextOf: (text: string | null) => SpanContext | undefined) {
  return new HttpInstrumentation({
    disableOutgoingRequestInstrumentation: true,
    // A refusal by load is counted; a span would cost more than all the rest of it.
    ignoreIncomingRequestHook: (request) => NOISE.test(request.url ?? '') || refusalByLoad(request) !== null,
    startIncomingSpanHook: () => UNSAID,
    requestHook: (span, request) => {
      const { traceparent } = (request as IncomingMessage).headers;
      const sent = typeof traceparent === 'string' ? spanContextOf(traceparent) : undefined;
      if (sent?.traceFlags === 1) span.addLink({ context: sent });
    },
    applyCustomAttributesOnSpan: (span, request, response) => tell(span, request as Routed, response as ServerResponse),
  });
}

/** Put down by the instrumentation before anybody can look. */
const UNSAID = Object.fromEntries(
  [
    'url.path',
    'url.query',
    'client.address',
    'network.peer.address',
    'network.peer.port',
    'user_agent.original',
    'server.address',
    'http.request.method_original',
  ].map((name) => [name, undefined]),
) as Attributes;

/** As express leaves it: `/v1/links/:code`. */
type Routed = IncomingMessage & { readonly route?: { readonly path?: unknown } };

/** What no route answers, and is there all the same: the pages and what they load. */
const FILES = '/*file';

function tell(span: Span, { method, route }: Routed, { statusCode }: ServerResponse): void {
  const path = route?.path ?? (statusCode < 400 ? FILES : undefined);
  if (typeof path === 'string') span.updateName(`${method} ${path}`).setAttribute('http.route', path);
  // Whatever its number (I11): of a token, of a rule, of a thing that is not there.
  if (statusCode >= 400) span.setAttribute(KEEP, true);
}
