// 1. Account assumption, as SYSTEMS.md tells it.
import { expect } from 'vitest';
import { describeStory } from './story.ts';
import { ADA, SAM } from './world.ts';

describeStory({
  system: 'account assumption',
  world: { profile: 'account-assumption', packs: ['destructive'] },
  sentences: ['Before it is enabled support has read-only insight.'],
  steps: {
    async 'Before it is enabled support has read-only insight.'(world) {
      const status = await world.control(ADA, 'GET', '/v1/tenants/acme/status');
      expect(status.status).toBe(200);
      const refused = await world.request(SAM, 'GET', '/api/v1/tickets');
      expect(refused.body).toMatchObject({ reason: 'session_required' });
      const opened = await world.control(SAM, 'POST', '/v1/sessions', {
        tenant: 'acme',
        access: 'read',
        reason: { type: 'customer_initiated_support', detail: 'A look.' },
      });
      expect([opened.status, opened.body]).toEqual([201, expect.anything()]);
      expect((await world.request(SAM, 'GET', '/api/v1/tickets')).status).toBe(200);
      expect(
        (await world.request(SAM, 'POST', '/api/v1/tickets', { body: { subject: 'x', body: 'y' } })).body,
      ).toMatchObject({ reason: 'read_only' });
    },
  },
});
