// Random tests without chance, and no search for a smaller example: the runner only asks whether they fail.
import * as fc from 'fast-check';

fc.configureGlobal({ seed: 20_26, endOnFailure: true });
