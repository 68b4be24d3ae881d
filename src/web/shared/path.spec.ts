import { describe, expect, it } from '@jest/globals';
import { pageWithin } from './path.js';

const ORIGIN = 'http://hall.test:3000';

describe('where a link led before joining', () => {
  it('case V15: a page of the conference is followed, with its query and fragment', () => {
    for (const page of ['/c/demo/s/rollout', '/c/demo#room=a', '/c/demo/s/x?y=1#z', '/c/demo'])
      expect(pageWithin('demo', page, ORIGIN)).toBe(page);
  });

  it('case V15: another conference, another origin, a script and the join page itself are not followed', () => {
    for (const page of [
      undefined,
      '',
      '/c/other/s/x',
      '/c/demo2',
      '/c/demo/../other',
      '//evil.test/c/demo',
      'https://hall.test:3000/c/demo',
      'javascript:alert(1)',
      'http://[',
      '/c/demo/join#to=/c/demo/join',
    ])
      expect([page, pageWithin('demo', page, ORIGIN)]).toEqual([page, '/c/demo']);
  });
});
