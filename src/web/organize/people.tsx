/** What to hand out: the code for attendees, links for moderators. */
import { useState } from 'preact/hooks';
import type { NamedModeratorDocument } from '../../conference/access/documents.js';
import type { JoinCodeDocument } from '../../conference/conferences/documents.js';
import { CopyLink } from '../shared/copy-link.js';
import { call } from '../shared/http.js';
import { pathTo } from '../shared/path.js';
import { Qr } from '../shared/qr.js';
import { bodiesOf, bodyOf } from '../shared/use-feed.js';
import type { OrganizeContext } from './organize-page.js';

export function Codes({ client, conference, texts, acts }: OrganizeContext) {
  const code = bodyOf<JoinCodeDocument>(client, 'join', 'join/code')?.code;
  if (!code) return null;
  const link = `${location.origin}${pathTo(conference, 'join')}#code=${encodeURIComponent(code)}`;
  return (
    <section aria-labelledby="codes" data-testid="codes">
      <h2 id="codes">{texts.codes}</h2>
      <p>
        {texts.joinCode}: <strong class="tabular">{code}</strong>
      </p>
      <Qr text={link} label={texts.joinLink} />
      <p>{texts.joinLink}:</p>
      <CopyLink {...{ link, acts, texts }} />
    </section>
  );
}

export function Moderators(context: OrganizeContext) {
  const { client, conference, identity, sessions, texts, acts } = context;
  const [name, setName] = useState('');
  const [session, setSession] = useState('all');
  const [link, setLink] = useState<string>();
  const moderators = bodiesOf<NamedModeratorDocument>(client, 'moderators', 'moderator');
  const invite = async (body: object) => {
    try {
      const route = `/v1/conferences/${encodeURIComponent(conference)}/tokens`;
      const { url } = await call<{ url: string }>(route, {
        token: identity.token,
        body: { role: 'moderator', link: true, ...body },
      });
      setLink(url);
      setName('');
    } catch (error) {
      acts.say(texts.failed(error instanceof Error ? error.message : String(error)), true);
    }
  };
  return (
    <section aria-labelledby="moderators" data-testid="moderators">
      <h2 id="moderators">{texts.moderators}</h2>
      {moderators.length === 0 && <p class="faint">{texts.noModerators}</p>}
      <ul>
        {moderators.map((grant) => (
          <Moderator key={grant.moderator} grant={grant} {...context} invite={invite} />
        ))}
      </ul>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void invite({ sessions: session === 'all' ? 'all' : [session], name: name.trim() || null });
        }}
      >
        <h3>{texts.addModerator}</h3>
        <label>
          {texts.name} ({texts.optional})
          <input value={name} maxLength={60} dir="auto" onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label>
          {texts.oneSession}
          <select value={session} onChange={(event) => setSession(event.currentTarget.value)}>
            <option value="all">{texts.allSessions}</option>
            {sessions.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <p class="row">
          <button type="submit" class="main">
            {texts.makeLink}
          </button>
        </p>
      </form>
      {link && (
        <div class="card card--strong" data-testid="moderator-link">
          <p>{texts.linkOnce}</p>
          <Qr text={link} label={texts.linkOnce} />
          <CopyLink {...{ link, acts, texts }} />
        </div>
      )}
    </section>
  );
}

interface ModeratorProps extends OrganizeContext {
  readonly grant: NamedModeratorDocument;
  readonly invite: (body: object) => Promise<void>;
}

function Moderator({ grant, invite, sessions, texts, acts }: ModeratorProps) {
  const { moderator, sessions: granted, name } = grant;
  const titleOf = (id: string) => sessions.find((one) => one.id === id)?.title ?? id;
  return (
    <li class="card">
      <p dir="auto">
        <strong>{name ?? moderator}</strong> · {granted === 'all' ? texts.allSessions : granted.map(titleOf).join(', ')}
      </p>
      <p class="row">
        <button type="button" onClick={() => void invite({ actor: moderator, sessions: granted, name })}>
          {texts.newLink}
        </button>
        <button
          type="button"
          onClick={() =>
            void acts.run(
              { type: 'revoke-moderator', data: { moderator } },
              { done: texts.revoked, undo: { type: 'grant-moderator', data: { moderator, sessions: granted, name } } },
            )
          }
        >
          {texts.revoke}
        </button>
      </p>
    </li>
  );
}
