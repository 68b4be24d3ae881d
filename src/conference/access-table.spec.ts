/** The table of rights, cell by cell: role × command × grant, role × channel. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/protocol';
import { CHANNELS, COMMANDS, ROLES } from '../../test/support/access-table.js';
import { createWorld, openDemo, organizer, someone, type World } from '../../test/support/world.js';
import { mayCommand, mayFollow } from './access.js';
import { capabilities } from './capabilities.js';
import type { CommandSpec, Identity } from './capability.js';

const specs = new Map(
  capabilities.flatMap(({ commands }) => commands).map((spec): [string, CommandSpec] => [spec.type, spec]),
);
const code = (answer: 'ok' | Refusal): number | 'ok' => (answer === 'ok' ? 'ok' : answer.body().code);

/** Things of session s1 and of session s2. */
interface Things {
  readonly session: string;
  question: string;
  message: string;
  update: string;
}

describe('rights', () => {
  let world: World;
  const things: Things[] = ['s1', 's2'].map((session) => ({ session, question: '', message: '', update: '' }));
  const made = async (type: string, data: object, by: Identity = organizer): Promise<string> => {
    const answer = await world.send(type, data, by);
    await world.fold();
    if (answer instanceof Refusal) throw answer;
    return answer[0] ?? '';
  };

  beforeAll(async () => {
    world = createWorld();
    await openDemo(world);
    await made('open-questions', { session: 's2' });
    for (const one of things) {
      const { session } = one;
      await made('open-discussion', { session });
      one.question = await made('ask-question', { session, text: 'Why?' }, someone('ada'));
      one.message = await made('post-message', { session, text: 'Because.' }, someone('ada'));
      one.update = await made('post-update', { texts: { en: 'x' }, audience: { to: 'sessions', sessions: [session] } });
    }
    await made('grant-moderator', { moderator: 'own', sessions: ['s1'] });
    await made('grant-moderator', { moderator: 'all', sessions: 'all' });
  });

  /** The command's example, about the things of one session. */
  const dataOf = (spec: CommandSpec, one: Things): object => {
    const about = Object.entries(one).filter(([name]) => name in spec.schema.shape);
    const audience = 'audience' in spec.schema.shape ? { audience: { to: 'sessions', sessions: [one.session] } } : {};
    return spec.schema.parse({ ...(spec.example as object), ...Object.fromEntries(about), ...audience });
  };
  const ask = (type: string, by: Identity, one: Things = things[0] as Things) => {
    const spec = specs.get(type);
    if (!spec) throw new Error(`no ${type}`);
    return code(mayCommand(by, spec, dataOf(spec, one), world.state));
  };

  it('every command and every channel stands in the table', () => {
    expect(COMMANDS.map(([type]) => type).sort()).toEqual([...specs.keys()].sort());
    const patterns = capabilities.flatMap(({ channels }) => channels.map(({ pattern }) => pattern));
    expect(CHANNELS.map(([pattern]) => pattern).sort()).toEqual(patterns.sort());
  });

  it.each(COMMANDS)('%s: %s', (type, by, grant) => {
    for (const [letter, role] of Object.entries(ROLES)) {
      if (role === 'moderator') continue;
      expect([role, ask(type, someone('x', role))]).toEqual([role, by.includes(letter) ? 'ok' : 302]);
    }
    const may = by.includes('m');
    const cells = {
      'granted all': ask(type, someone('all', 'moderator'), things[1]),
      'granted, this session': ask(type, someone('own', 'moderator'), things[0]),
      'granted, another session': ask(type, someone('own', 'moderator'), things[1]),
      'not granted': ask(type, someone('nobody', 'moderator')),
    };
    expect(cells).toEqual({
      'granted all': may ? 'ok' : 302,
      'granted, this session': may && grant !== 'all' ? 'ok' : 302,
      'granted, another session': may && grant === 'any' ? 'ok' : 302,
      'not granted': 304,
    });
  });

  it.each(COMMANDS)('%s in a closed conference', async (type, by, _, afterClose) => {
    const closed = createWorld();
    await openDemo(closed);
    await closed.send('close-conference', {});
    await closed.fold();
    const spec = specs.get(type);
    const role = ROLES[by[0] ?? 'o'] ?? 'organizer';
    if (!spec) throw new Error(`no ${type}`);
    const answer = mayCommand(someone('x', role), spec, dataOf(spec, things[0] as Things), closed.state);
    expect(code(answer)).toBe(afterClose ? 'ok' : 208);
  });

  it.each(CHANNELS)('channel %s: %s', (pattern, by, granted) => {
    const channel = pattern.replace(':session', 's1').replace(':actor', 'x');
    const none = by === '' ? 203 : 302;
    for (const [letter, role] of Object.entries(ROLES)) {
      if (role === 'moderator') continue;
      expect([role, code(mayFollow(someone('x', role), channel, world.state))]).toEqual([
        role,
        by.includes(letter) ? 'ok' : none,
      ]);
    }
    const own = (actor: string) => channel.replace('me/x', `me/${actor}`);
    const follow = (actor: string, name = own(actor)) =>
      code(mayFollow(someone(actor, 'moderator'), name, world.state));
    const may = by.includes('m') ? 'ok' : none;
    expect([follow('own'), follow('all'), follow('nobody')]).toEqual([may, may, 304]);
    expect(follow('own', channel.replace('s1', 's2').replace('me/x', 'me/own'))).toBe(granted ? 302 : may);
  });

  it('nobody follows what is another’s own', () => {
    for (const role of Object.values(ROLES)) {
      const actor = role === 'moderator' ? 'all' : 'x';
      expect(code(mayFollow(someone(actor, role), 'me/ada', world.state))).toBe(302);
    }
  });

  it('who has been erased may nothing', async () => {
    await made('erase-attendee', { subject: 'gone' });
    expect(ask('ask-question', someone('gone'))).toBe(305);
    expect(code(mayFollow(someone('gone'), 'schedule', world.state))).toBe(305);
  });
});
