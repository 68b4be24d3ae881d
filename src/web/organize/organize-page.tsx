/** `/c/:conf/organize`, `/c/:conf/audit`: for organizers. */
import { useMemo } from 'preact/hooks';
import { SEVERITIES } from '../../conference/updates/documents.js';
import { ConferencePage, type PageContext } from '../shared/conference-page.js';
import { identityFor } from '../shared/identity.js';
import { pathTo, readPath } from '../shared/path.js';
import { PostUpdate } from '../shared/post-update.js';
import { textsFor } from '../shared/texts.js';
import { Audit } from './audit.js';
import { Import } from './import.js';
import { Codes, Moderators } from './people.js';
import { PushRoom, Sessions } from './sessions.js';
import { type OrganizeTexts, organizeTexts } from './texts.js';

export type OrganizeContext = PageContext<OrganizeTexts>;

export function OrganizePage() {
  const { conference, page } = useMemo(() => readPath(location.pathname), []);
  const { language, texts } = useMemo(() => textsFor(navigator.languages, organizeTexts), []);
  const identity = useMemo(() => identityFor(conference, ['organizer']), [conference]);
  if (!identity)
    return (
      <main class="page">
        <h1>{texts.organize}</h1>
        <p role="alert">{texts.needLink}</p>
      </main>
    );
  return (
    <ConferencePage
      class="desk"
      channels={['schedule', 'updates', 'crew', 'join', 'moderators']}
      onRefused={texts.needLink}
      head={() => (
        <nav class="row">
          <a href={pathTo(conference, 'organize')}>{texts.organize}</a>
          <a href={pathTo(conference, 'audit')}>{texts.audit}</a>
          <a href={pathTo(conference, 'desk')}>{texts.desk}</a>
        </nav>
      )}
      {...{ conference, identity, texts, language }}
    >
      {(context) => (
        <>
          <h1 dir="auto">{context.about.title}</h1>
          {page === 'audit' ? <Audit {...context} /> : <Work {...context} />}
        </>
      )}
    </ConferencePage>
  );
}

function Work(context: OrganizeContext) {
  const { about, texts, rooms, acts, updates } = context;
  const { emergency, news } = updates;
  return (
    <>
      {emergency && (
        <p class="row">
          <button
            type="button"
            onClick={() =>
              void acts.run({ type: 'renew-emergency', data: { update: emergency.id } }, { done: texts.renewed })
            }
          >
            {texts.renew}
          </button>
          <button
            type="button"
            class="main"
            onClick={() =>
              void acts.run({ type: 'retract-update', data: { update: emergency.id } }, { done: texts.retracted })
            }
          >
            {texts.allClear}
          </button>
        </p>
      )}
      <Sessions {...context} />
      <PushRoom {...context} />
      <PostUpdate
        {...context}
        draftName={`${context.conference}.${context.identity.actor}.all`}
        updates={news}
        audiences={[
          { label: texts.forAll, audience: { to: 'all' } },
          { label: 'crew', audience: { to: 'crew' } },
          ...rooms.map(({ id, name }) => ({ label: name, audience: { to: 'rooms' as const, rooms: [id] } })),
        ]}
        severities={SEVERITIES}
        languages={about.languages.length > 0 ? about.languages : ['en']}
      />
      <div class="columns">
        <Codes {...context} />
        <Moderators {...context} />
      </div>
      <Import {...context} />
    </>
  );
}
