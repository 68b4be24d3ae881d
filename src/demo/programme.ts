/** A day modelled on the first one of an SRE conference, shortened; speakers by role, nobody's name. Minutes count from its beginning. */
import type { SessionKind } from '../conference/sessions/documents.js';

export interface DemoSession {
  readonly id: string;
  readonly room: string;
  readonly kind: SessionKind;
  readonly from: number;
  readonly minutes: number;
  readonly title: string;
  readonly abstract: string;
  readonly speakers: readonly string[];
  /** It starts so many minutes late, which is announced with the reason. */
  readonly late?: { readonly minutes: number; readonly reason: string };
  readonly questions?: readonly string[];
  readonly discussion?: { readonly topic: string; readonly messages: readonly string[] };
}

export const CONFERENCE = {
  title: 'Hallway demo: a day among SREs',
  timeZone: 'Europe/Dublin',
  languages: ['en', 'de'],
};

export const ROOMS = [
  { id: 'hall', name: 'Main hall', order: 1, capacity: 600, floor: 'ground floor' },
  { id: 'track-2', name: 'Track 2', order: 2, capacity: 200, floor: '1st floor' },
  { id: 'garden', name: 'Garden room', order: 3, capacity: 40, floor: 'ground floor' },
];

export const SESSIONS: readonly DemoSession[] = [
  {
    id: 'rollout',
    room: 'hall',
    kind: 'talk',
    from: 0,
    minutes: 20,
    title: 'Rolling out AI models without rolling the dice',
    abstract: 'A model is a deployment whose tests lie. What we changed in canaries, error budgets and rollback.',
    speakers: ['A reliability lead at a model provider'],
    questions: [
      'How do you roll back a model that has learned from its own output?',
      'Who decides that a canary is bad when quality has no number?',
      'Do you keep the old model warm, and what does that cost?',
      'How do you page somebody for "the answers got worse"?',
      'How do you take back a model?',
    ],
  },
  {
    id: 'free-ca',
    room: 'hall',
    kind: 'talk',
    from: 25,
    minutes: 20,
    title: 'Ten years of a free certificate authority',
    abstract: 'From one rack to most of the web: what broke, what we threw away, and why boring won.',
    speakers: ['An engineer of a certificate authority'],
    late: { minutes: 3, reason: 'the laptop and the projector are getting to know each other' },
    questions: [
      'What was the longest night of those ten years?',
      'How do you rehearse revoking millions of certificates?',
      'Which single dependency still worries you?',
      'Would shorter lifetimes break anything for you?',
    ],
  },
  {
    id: 'tracing',
    room: 'hall',
    kind: 'talk',
    from: 50,
    minutes: 20,
    title: 'A tracing journey: from one span to answers',
    abstract: 'Three attempts at tracing in a company that had logs and pride.',
    speakers: ['An observability engineer', 'A sceptical manager'],
    questions: [
      'What did you stop collecting?',
      'Head or tail sampling, and who pays?',
      'How long until the first team asked for it by themselves?',
    ],
  },
  {
    id: 'demand',
    room: 'hall',
    kind: 'talk',
    from: 75,
    minutes: 20,
    title: 'Weathering demand shifts',
    abstract: 'When the whole world changes its habits in a week, capacity plans are fiction. What held.',
    speakers: ['A capacity planner'],
    questions: ['Which load did you shed first?', 'How do you plan for a week like no other?'],
  },
  {
    id: 'stpa',
    room: 'hall',
    kind: 'talk',
    from: 100,
    minutes: 20,
    title: 'STPA for maps: finding accidents before they happen',
    abstract: 'Control structures instead of fault trees, on a system that tells people where to drive.',
    speakers: ['A safety engineer'],
    questions: ['How large was the first analysis?', 'Which finding surprised the team most?'],
  },
  {
    id: 'ama',
    room: 'track-2',
    kind: 'ama',
    from: 4,
    minutes: 36,
    title: 'Ask me anything: resilience engineering',
    abstract: 'No slides. Questions from the room, most wanted first.',
    speakers: ['A researcher', 'An incident commander'],
    questions: [
      'Is "human error" ever a useful answer?',
      'How do you tell luck from resilience?',
      'What should nobody automate?',
      'How do you keep a review from becoming a trial?',
      'Which metric about incidents would you abolish?',
      'What did your worst incident teach you about your own team?',
    ],
  },
  {
    id: 'automate-last',
    room: 'track-2',
    kind: 'discussion',
    from: 45,
    minutes: 30,
    title: 'Discussion track: what would you automate last?',
    abstract: 'Everybody writes, a few speak.',
    speakers: ['Facilitated by the crew'],
    discussion: {
      topic: 'What would you automate last, and why?',
      messages: [
        'Deciding to wake somebody.',
        'Writing the review. The writing is the learning.',
        'Anything we do less than twice a year.',
        'Failover between regions. We trust people who have seen it go wrong.',
        'Saying sorry to customers.',
        'Capacity for the one day that matters.',
      ],
    },
  },
  {
    id: 'small-teams',
    room: 'garden',
    kind: 'breakout',
    from: 10,
    minutes: 30,
    title: 'Breakout: on call in a team of four',
    abstract: 'Bring your rota. Leave with a better one.',
    speakers: ['Hosted by two on-call engineers'],
    discussion: {
      topic: 'What makes a small rota bearable?',
      messages: [
        'A day off after a bad night, without asking.',
        'Fewer alerts. Delete one each week.',
        'Pairing in the first month.',
        'A manager in the rota.',
      ],
    },
  },
  {
    id: 'open-slot',
    room: 'garden',
    kind: 'unconference',
    from: 50,
    minutes: 30,
    title: 'Unconference slot: your topic',
    abstract: 'Not planned on purpose.',
    speakers: ['You'],
    questions: ['Could somebody show their worst dashboard?', 'Who runs Postgres without regret?'],
  },
];
