// Valid bodies for the operations that the table lets through, so that they do their work on the seeded data and
// not only fail Unleash's own validation. Denied ones, and those not named here, get an empty object.
import type { Operation } from './decisions.ts';
import { keyOf } from './decisions.ts';

const PROJECT = '/api/admin/projects/{projectId}';
const FLAG = `${PROJECT}/features/{featureName}`;
const ENVIRONMENT = `${FLAG}/environments/{environment}`;
const ROLLOUT = {
  name: 'flexibleRollout',
  parameters: { rollout: '50', stickiness: 'default', groupId: 'seeded' },
  constraints: [],
};

const BODIES: Readonly<Record<string, unknown>> = {
  'POST /api/admin/features/validate': { name: 'a-free-name' },
  'POST /api/admin/features/{featureName}/tags': { type: 'simple', value: 'second' },
  'PUT /api/admin/features/{featureName}/tags': {
    addedTags: [{ type: 'simple', value: 'third' }],
    removedTags: [],
  },
  'POST /api/admin/playground': {
    environment: 'development',
    projects: ['default'],
    context: { appName: 'shop' },
  },
  'POST /api/admin/playground/advanced': {
    environments: ['development'],
    projects: ['default'],
    context: { appName: 'shop' },
  },
  'POST /api/admin/context': { name: 'plan' },
  'PUT /api/admin/context/{contextField}': { description: 'Where they are', legalValues: [{ value: 'eu' }] },
  'POST /api/admin/context/{contextField}/legal-values': { value: 'us' },
  'POST /api/admin/context/validate': { name: 'a-free-name' },
  'POST /api/admin/tags': { type: 'simple', value: 'fourth' },
  'POST /api/admin/tag-types': { name: 'team', description: 'Whose it is' },
  'POST /api/admin/tag-types/validate': { name: 'a-free-name' },
  'PUT /api/admin/tag-types/{name}': { description: 'Plain', icon: '#' },
  [`POST ${ENVIRONMENT}/strategies`]: ROLLOUT,
  [`PUT ${ENVIRONMENT}/strategies/{strategyId}`]: ROLLOUT,
  [`PATCH ${ENVIRONMENT}/strategies/{strategyId}`]: [
    { op: 'replace', path: '/title', value: 'Half of them' },
  ],
  [`POST ${ENVIRONMENT}/strategies/set-sort-order`]: [],
  [`PUT ${ENVIRONMENT}/variants`]: [],
  [`PATCH ${ENVIRONMENT}/variants`]: [],
  [`POST ${PROJECT}/features`]: { name: 'made-by-support', type: 'release' },
  [`POST ${FLAG}/clone`]: { name: 'cloned-by-support' },
  [`PUT ${FLAG}`]: { description: 'Seeded', type: 'release' },
  [`PATCH ${FLAG}`]: [{ op: 'replace', path: '/description', value: 'Seeded for the test' }],
  [`POST ${PROJECT}/features/{child}/dependencies`]: { feature: 'seeded-parent' },
  [`POST ${PROJECT}/archive/validate`]: { features: ['seeded'] },
  [`POST ${FLAG}/lifecycle/complete`]: { status: 'kept' },
  [`POST ${FLAG}/link`]: { url: 'https://tickets.example.com/4711', title: 'The ticket' },
  [`POST ${PROJECT}/context`]: { name: 'project-plan' },
  [`POST ${PROJECT}/context/{contextField}/legal-values`]: { value: 'us' },
  [`POST ${PROJECT}/context/validate`]: { name: 'a-free-name' },
  'POST /api/admin/constraints/validate': { contextName: 'appName', operator: 'NUM_EQ', value: '1' },
  'POST /api/admin/segments/validate': { name: 'a-free-name' },
  'POST /api/admin/segments': { name: 'made-by-support', constraints: [] },
  'PUT /api/admin/segments/{id}': { name: 'seeded', constraints: [] },
  'POST /api/admin/record-ui-error': { errorMessage: 'a page failed', errorStack: 'at page' },
};

export function bodyOf(operation: Operation): unknown {
  return BODIES[keyOf(operation)] ?? {};
}
