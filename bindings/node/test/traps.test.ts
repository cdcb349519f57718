import { traps } from '../../js/test/stories/traps.js';
import { tell } from './stories.js';

tell(traps);
