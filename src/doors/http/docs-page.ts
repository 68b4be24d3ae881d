/** One small page without scripts: commands, channels and refusals, from the same list as the OpenAPI document. */
import { REFUSALS } from '#libs/protocol';
import { capabilities } from '../../conference/capabilities.js';
import type { CommandSpec } from '../../conference/capability.js';

export const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: start; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884; }
pre { overflow-x: auto; padding: .75rem; background: #8882; }
`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign);
const rows = (lines: readonly (readonly string[])[]): string =>
  lines.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n');

const command = ({ type, summary, by, example }: CommandSpec): string => `
<h3 id="${type}"><code>${type}</code></h3>
<p>${escaped(summary)} (${by.join(', ')})</p>
<pre>${escaped(JSON.stringify({ id: 'any id of yours', type, data: example }, null, 2))}</pre>`;

export function docsPage(): string {
  const channels = capabilities.flatMap((capability) => capability.channels).filter(({ by }) => by.length > 0);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Hallway API</title><style>${STYLE}</style></head>
<body>
<h1>Hallway API</h1>
<p>For programs: <a href="/docs/openapi.json">OpenAPI 3.1</a>. Requests carry <code>Authorization: Bearer TOKEN</code>.</p>
<h2>Channels</h2>
<p><code>GET /v1/conferences/CONFERENCE/channels/CHANNEL</code></p>
<table><tr><th>Channel</th><th>What</th><th>Who</th></tr>
${rows(channels.map(({ pattern, summary, by }) => [`<code>${escaped(pattern)}</code>`, escaped(summary), by.join(', ')]))}
</table>
<h2>Commands</h2>
<p><code>POST /v1/conferences/CONFERENCE/commands</code>; sent again under the same id, a command acts once.</p>
${capabilities
  .flatMap(({ commands }) => commands)
  .map(command)
  .join('\n')}
<h2>Refusals</h2>
<p>1xx: try again. 2xx: fix the request. 3xx: not allowed.</p>
<table><tr><th>Code</th><th>HTTP</th><th>Name</th><th>Meaning</th></tr>
${rows(Object.entries(REFUSALS).map(([name, { code, http, message }]) => [`<span id="refusal-${code}">${code}</span>`, String(http), name, escaped(message)]))}
</table>
</body>
</html>
`;
}
