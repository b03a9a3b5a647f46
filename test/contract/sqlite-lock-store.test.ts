import { describeEmergencyStore } from './emergency-store.ts';
import { describeLockStore } from './lock-store.ts';
import { lockPlace } from '../support/lock-fixtures.ts';

describeLockStore('SQLite', () => lockPlace());
describeEmergencyStore('SQLite', () => lockPlace());
