// A checked draft → the selector that judges bodies. Guarantees: every kind of draft has one. Cold; what it makes is
// asked on the routes whose rules look at bodies.
import { compileFormSelector } from './body-form.ts';
import { compileGraphqlSelector } from './body-graphql.ts';
import { compileJsonSelector } from './body-json.ts';
import { compileJsonrpcSelector } from './body-jsonrpc.ts';
import type { BodySelector, BodySelectorDraft } from './body-selector.ts';

/** `draft` as `readBodySelector` makes it; throws a TypeError on a pointer that was not checked. */
export function compileBodySelector(draft: BodySelectorDraft): BodySelector {
  switch (draft.kind) {
    case 'graphql':
      return compileGraphqlSelector(draft);
    case 'jsonrpc':
      return compileJsonrpcSelector(draft.methods);
    case 'json':
      return compileJsonSelector(draft.fields);
    case 'form':
      return compileFormSelector(draft.fields);
  }
}
